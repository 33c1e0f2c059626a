import assert from "node:assert/strict";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";
import { createNetwork, type Network } from "./network.ts";

describe("The provider's arrays", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;
  let template: Deployed;
  let targets: Deployed;
  let group: Deployed;
  const token = "aws:autoscaling/group:Group";
  const tag = (key: string, value: string) => ({ key, value, propagateAtLaunch: true });
  const array = () => ({
    minSize: 1,
    maxSize: 3,
    launchTemplate: { id: template.id, version: "1" },
    vpcZoneIdentifiers: network.subnets.map(({ id }) => id),
    targetGroupArns: [targets.id],
    healthCheckGracePeriod: 60,
    tags: [tag("Name", "shop-blue"), tag("handover:site", "shop")],
  });

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
    [template, targets] = await Promise.all([
      harness.create("aws:ec2/launchTemplate:LaunchTemplate", "template", {
        imageId: "ami-0a1b2c3d4e5f60001",
        instanceType: "t3.small",
      }),
      harness.create("aws:lb/targetGroup:TargetGroup", "targets", {
        port: 80,
        protocol: "HTTP",
        vpcId: network.vpc.id,
        // A group's servers leave when they have drained.
        deregistrationDelay: 0,
      }),
    ]);
    group = await harness.create(token, "array", array());
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "a Group",
    () => harness,
    () => ({
      token,
      inputs: array(),
      change: {
        minSize: 2,
        healthCheckGracePeriod: 30,
        suspendedProcesses: ["AlarmNotification", "AZRebalance"],
        tags: [tag("Name", "other")],
      },
      replace: { name: "fixed" },
    }),
  );

  it("leaves the capacity to whoever scales, if the program does not state it", async () => {
    const scaled = await harness.update(group, { ...array(), desiredCapacity: 2 });
    assert.equal(scaled.state.desiredCapacity, 2);
    assert.deepEqual(harness.diff(scaled, array()).differences, []);
    group = await harness.update(scaled, { ...array(), maxSize: 4 });
    assert.equal(group.state.desiredCapacity, 2);
  });

  it("resumes only the processes that it suspended", async () => {
    const suspended = await harness.update(group, { ...array(), suspendedProcesses: ["Terminate", "AZRebalance"] });
    group = await harness.update(suspended, { ...array(), suspendedProcesses: ["AZRebalance"] });
    assert.deepEqual(group.state.suspendedProcesses, ["AZRebalance"]);
  });

  it("leaves its target groups when the program states none of them, and not when it says nothing", async () => {
    const { targetGroupArns, ...silent } = { ...array(), suspendedProcesses: ["AZRebalance"] };
    assert.deepEqual(harness.diff(group, silent).differences, []);
    const detached = await harness.update(group, { ...silent, targetGroupArns: [] });
    assert.deepEqual(detached.state.targetGroupArns, []);
    group = await harness.update(detached, { ...silent, targetGroupArns });
    assert.deepEqual(group.state.targetGroupArns, targetGroupArns);
  });

  it("is found by its name, as it is now", async () => {
    const found = await harness.provider.invoke("aws:autoscaling/getGroup:getGroup", { name: group.id });
    assert.ok(!Array.isArray(found));
    assert.deepEqual([found.desiredCapacity, found.suspendedProcesses], [2, ["AZRebalance"]]);
  });

  itLivesAs(
    "a Policy",
    () => harness,
    () => ({
      token: "aws:autoscaling/policy:Policy",
      inputs: {
        autoscalingGroupName: group.id,
        policyType: "TargetTrackingScaling",
        targetTrackingConfiguration: {
          predefinedMetricSpecification: { predefinedMetricType: "ASGAverageCPUUtilization" },
          targetValue: 50,
        },
      },
      change: {
        targetTrackingConfiguration: {
          predefinedMetricSpecification: { predefinedMetricType: "ASGAverageCPUUtilization" },
          targetValue: 60,
        },
      },
      replace: { autoscalingGroupName: "other", name: "fixed" },
      importId: ({ id }) => `${group.id}/${id}`,
    }),
  );

  itLivesAs(
    "a Schedule",
    () => harness,
    () => ({
      token: "aws:autoscaling/schedule:Schedule",
      inputs: {
        autoscalingGroupName: group.id,
        scheduledActionName: "night",
        minSize: 1,
        maxSize: 2,
        desiredCapacity: 1,
        recurrence: "0 22 * * *",
      },
      change: { maxSize: 3 },
      replace: { autoscalingGroupName: "other", scheduledActionName: "day" },
      importId: ({ id }) => `${group.id}/${id}`,
    }),
  );
});
