import assert from "node:assert/strict";
import { progressLines } from "../../../automation/cli/progress.ts";
import type { PlannedOperation, RunEvent } from "../../../automation/documents/events.ts";

function lines(event: RunEvent): string[] {
  const written: string[] = [];
  progressLines((line) => written.push(line))(event);
  return written;
}

const operation = (op: string, type: string, name: string): PlannedOperation => ({ op, type, name, properties: [] });
const plan = (operations: PlannedOperation[], step?: number): RunEvent => ({
  type: "plan",
  phase: "connect",
  step,
  digest: "0123456789abcdef",
  operations,
});

describe("a run's progress", () => {
  it("names what an update will do, as one line of a plan does", () => {
    const association = "aws:ec2/eipAssociation:EipAssociation";
    const replaced = ["create-replacement", "replace", "delete-replaced"].map((op) =>
      operation(op, association, "address-1"),
    );
    assert.deepEqual(lines(plan(replaced, 1)), ["  plan 0123456789ab: replace ec2.EipAssociation address-1 (step 1)"]);
    const instance = "aws:ec2/instance:Instance";
    const launched = [1, 2, 3, 4].map((number) => operation("create", instance, `green-${number}`));
    assert.deepEqual(lines(plan([...launched, operation("delete", "aws:lb/targetGroup:TargetGroup", "blue")])), [
      "  plan 0123456789ab: create ec2.Instance green-1 … green-4 (4); delete lb.TargetGroup blue",
    ]);
  });

  it("says what is waited for, what was seen last, and how long it may take yet", () => {
    const drained = { phase: "drain", gate: "targets drained: blue", evidence: { draining: 2 } } as const;
    assert.deepEqual(lines({ type: "waiting", ...drained, seconds: 15, leftSeconds: 885 }), [
      '  waiting for 15.0 s: targets drained: blue, up to 885.0 s more {"draining":2}',
    ]);
    const watching = { phase: "observe", gate: "watching", evidence: null } as const;
    assert.deepEqual(lines({ type: "waiting", ...watching, seconds: 60, leftSeconds: 240 }), [
      "  waiting for 60.0 s: watching, up to 240.0 s more",
    ]);
  });

  it("counts where there is too much to name, and says where there is nothing", () => {
    const many = ["Vpc", "Subnet", "Route", "Eip", "Instance"].map((type) => operation("create", type, "www"));
    assert.deepEqual(lines(plan(many)), ["  plan 0123456789ab: 5 create"]);
    assert.deepEqual(lines(plan([])), ["  plan 0123456789ab: no changes"]);
  });
});
