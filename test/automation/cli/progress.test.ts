import assert from "node:assert/strict";
import { type Detail, progressLines } from "../../../automation/cli/progress.ts";
import type { PlannedOperation, RunEvent } from "../../../automation/documents/events.ts";

function lines(event: RunEvent): string[] {
  const written: string[] = [];
  progressLines((line) => written.push(line), { timed: false })(event);
  return written;
}

function told(events: readonly RunEvent[], detail: Detail = {}): string[] {
  const written: string[] = [];
  const listener = progressLines((line) => written.push(line), { timed: false, ...detail });
  for (const event of events) listener(event);
  return written;
}

const gate = (name: string, seconds: number, verdict: "pass" | "fail" = "pass"): RunEvent => ({
  type: "gate",
  phase: "connect",
  gate: name,
  verdict,
  evidence: { seen: 1 },
  seconds,
});

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

  it("counts gates that hold again, in one line before whatever comes next", () => {
    const looks = [gate("health", 1), gate("smoke", 2), gate("health", 3), gate("smoke", 1), gate("health", 2)];
    const applied = { type: "applied", phase: "connect", seconds: 1, operations: [] } as const;
    assert.deepEqual(told([...looks, applied, gate("health", 1)]), [
      "  ok: health (1.0 s)",
      "  ok: smoke (2.0 s)",
      "  held: health (3 times, at most 3.0 s), smoke (2 times, at most 2.0 s)",
      "  applied in 1.0 s",
      "  ok: health (1.0 s)",
    ]);
    assert.match(told([gate("health", 1), gate("health", 2, "fail")]).at(-1) ?? "", /^ {2}fail: health .*"seen":1/);
  });

  it("tells every look and operation with --verbose, and little with --quiet", () => {
    const looks = [gate("health", 1), gate("health", 3)];
    assert.deepEqual(told(looks, { verbose: true }), [
      '  ok: health (1.0 s) {"seen":1}',
      '  ok: health (3.0 s) {"seen":1}',
    ]);
    const many = ["Vpc", "Subnet", "Route", "Eip", "Instance"].map((type) => operation("create", type, "www"));
    assert.equal(told([plan(many)], { verbose: true }).length, 6);
    const warning = { type: "warning", message: "fewer servers" } as const;
    assert.deepEqual(told([...looks, plan(many), warning], { quiet: true }), ["warning: fewer servers"]);
  });

  it("has the time of day where it is read afterwards", () => {
    assert.match(told([gate("health", 1)], { timed: true })[0] ?? "", /^\d\d:\d\d:\d\d {3}ok: health/);
  });

  it("counts where there is too much to name, and says where there is nothing", () => {
    const many = ["Vpc", "Subnet", "Route", "Eip", "Instance"].map((type) => operation("create", type, "www"));
    assert.deepEqual(lines(plan(many)), ["  plan 0123456789ab: 5 create"]);
    assert.deepEqual(lines(plan([])), ["  plan 0123456789ab: no changes"]);
  });
});
