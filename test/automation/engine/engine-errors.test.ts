import assert from "node:assert/strict";
import { isNotYetShown } from "../../../automation/engine/engine-errors.ts";

describe("what a plugin does not find", () => {
  for (const error of [
    "reading ELBv2 Target Group (arn:aws:tg/blue) attributes: couldn't find resource",
    "reading EC2 Instance (i-0a): empty result",
    "1 error occurred:\n\t* waiting for EBS Snapshot (snap-0a) create: operation error EC2: DescribeSnapshots, https response error StatusCode: 400, RequestID: 1, api error InvalidSnapshot.NotFound: The snapshot 'snap-0a' does not exist.",
    "waiting for Auto Scaling Group (blue) capacity satisfied: couldn't find resource",
    "reading ELBv2 Listener (arn): operation error Elastic Load Balancing v2: DescribeListeners, https response error StatusCode: 400, RequestID: 1, api error ListenerNotFound: One or more listeners not found",
  ])
    it(`is not shown yet where it was just made: ${error.slice(0, 60)}`, () => assert.ok(isNotYetShown(error)));

  for (const error of [
    "running instances: creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1, api error InvalidAMIID.NotFound: The image id '[ami-0a]' does not exist",
    "creating EC2 Launch Template (green): operation error EC2: CreateLaunchTemplate, api error InvalidKeyPair.NotFound: no key",
    "waiting for EC2 Instance (i-0a) create: unexpected state 'terminated', wanted target 'running'. last error: Client.InternalError",
    "waiting for EC2 Instance (i-0a) create: timeout while waiting for state to become 'running'",
  ])
    it(`is an answer where it was asked for: ${error.slice(0, 60)}`, () => assert.ok(!isNotYetShown(error)));
});
