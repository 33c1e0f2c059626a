import assert from "node:assert/strict";
import { actionsOf, policyOf } from "../../sandbox/iam-policy.ts";

describe("the IAM policy of a record of calls", () => {
  it("uses IAM's names for services and for the parts of a transaction", () => {
    assert.deepEqual(actionsOf(["monitoring.GetMetricData", "dynamodb.TransactWriteItems"]), [
      "cloudwatch:GetMetricData",
      "dynamodb:ConditionCheckItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
    ]);
  });

  it("has the action that tagging at creation needs, although it is not called", () => {
    assert.deepEqual(actionsOf(["ec2.RunInstances"]), ["ec2:CreateTags", "ec2:RunInstances"]);
  });

  it("tells reads, changes, the ledger's table and the key of the stack's secrets apart", () => {
    const { Statement } = policyOf(["ec2.DescribeImages", "ec2.TerminateInstances", "dynamodb.GetItem", "kms.Decrypt"]);
    assert.deepEqual(
      Statement.map(({ Action, Resource }) => [Action, Resource]),
      [
        [["ec2:DescribeImages"], "*"],
        [["ec2:TerminateInstances"], "*"],
        [["dynamodb:GetItem"], "arn:aws:dynamodb:*:*:table/handover-*"],
        [["kms:Decrypt"], "arn:aws:kms:*:*:key/*"],
      ],
    );
  });
});
