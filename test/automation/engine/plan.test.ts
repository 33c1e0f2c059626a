import assert from "node:assert/strict";
import type { Inputs, Operation } from "../../../automation/engine/operation.ts";
import { isPlanned } from "../../../automation/engine/plan.ts";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function operation(op: string, name: string, ...properties: string[]): Operation {
  const type = "aws:lb/targetGroup:TargetGroup";
  return { op, urn: `urn:pulumi:s::handover::${type}::${name}`, type, name, properties };
}

const planned = (operations: readonly Operation[], inputs: readonly Inputs[]) => ({ operations, inputs });

describe("an operation of an update", () => {
  const create = operation("create", "green");
  const update = operation("update", "blue", "healthCheck.path", "tags");
  const plan = planned(
    [create, update, operation("delete", "old")],
    [{ vpcId: unknown, targets: [unknown, { port: 80 }] }, { healthCheck: { path: "/health" } }, undefined],
  );

  it("is planned when the plan has it with what was known of its inputs", () => {
    assert.ok(isPlanned(create, { vpcId: "vpc-1", targets: [{ id: "i-1" }, { port: 80 }] }, plan));
    assert.ok(isPlanned(operation("update", "blue", "healthCheck", "arn"), { healthCheck: { path: "/health" } }, plan));
    assert.ok(isPlanned(operation("delete", "old"), undefined, plan));
  });

  it("is planned whatever the plugin adds by itself", () => {
    const inputs = {
      __defaults: ["name"],
      name: "green-1f2a",
      vpcId: "vpc-1",
      targets: [1, { __defaults: [], port: 80 }],
    };
    assert.ok(isPlanned(create, inputs, plan));
  });

  const others: readonly [string, Operation, Inputs][] = [
    ["another resource", operation("create", "blue"), { vpcId: "vpc-1", targets: [1, { port: 80 }] }],
    ["another operation on it", operation("delete", "green"), undefined],
    ["a replacement", operation("create-replacement", "blue"), { healthCheck: { path: "/health" } }],
    ["another value", operation("update", "blue", "healthCheck.path"), { healthCheck: { path: "/" } }],
    ["another value within a list", create, { vpcId: "vpc-1", targets: [1, { port: 443 }] }],
    ["one more value in a list", create, { vpcId: "vpc-1", targets: [1, { port: 80 }, 2] }],
    ["one more input", create, { vpcId: "vpc-1", targets: [1, { port: 80 }], name: "green" }],
    ["one input less", create, { targets: [1, { port: 80 }] }],
  ];
  for (const [what, unplanned, inputs] of others) {
    it(`is not planned when it is ${what}`, () => {
      const known = planned(plan.operations, [
        { vpcId: "vpc-1", targets: [unknown, { port: 80 }] },
        ...plan.inputs.slice(1),
      ]);
      assert.ok(!isPlanned(unplanned, inputs, known));
    });
  }
});
