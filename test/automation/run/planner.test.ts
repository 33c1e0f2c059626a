import assert from "node:assert/strict";
import type { Operation } from "../../../automation/engine/operation.ts";
import { Planner } from "../../../automation/run/planner.ts";

const type = "aws:lb/listenerRule:ListenerRule";
const urn = `urn:pulumi:test::handover::${type}::site-test`;
const again: Operation = { op: "update", type, name: "site-test", urn, properties: ["actions"] };
const launch: Operation = {
  op: "create",
  type: "aws:ec2/instance:Instance",
  name: "green-2",
  urn: "urn:pulumi:test::handover::aws:ec2/instance:Instance::green-2",
  properties: [],
};

/** An engine that plans so, the first time and after what it would change was read again. */
function planning(first: readonly Operation[], then: readonly Operation[], refresh = async () => {}) {
  const done: string[] = [];
  let isRead = false;
  const engine = {
    preview: async () => {
      done.push("preview");
      return { operations: isRead ? then : first };
    },
    refresh: async (urns: readonly string[]) => {
      done.push(`read ${urns.map((each) => each.split("::").at(-1)).join()}`);
      await refresh();
      isRead = true;
    },
    state: { export: async () => ({ resources: [{ urn, type }] }), import: async () => {} },
  };
  const identity = { id: "run", from: "blue", to: "green" };
  const planner = new Planner(engine as never, identity, new AbortController().signal);
  return { done, plan: async () => (await planner.plan({ row: "launch-rest" })).operations };
}

describe("the plan of an update", () => {
  it("is made once where its row may do all of it", async () => {
    const { plan, done } = planning([launch], []);
    assert.deepEqual([await plan(), done], [[launch], ["preview"]]);
  });

  it("is made again where it would be refused, from a state that was read when AWS shows what was changed", async () => {
    const { plan, done } = planning([again, launch], [launch]);
    assert.deepEqual([await plan(), done], [[launch], ["preview", "read site-test", "preview"]]);
  });

  it("stays as it was where nothing can be read: whoever checks it refuses it", async () => {
    const { plan } = planning([again, launch], [launch], () => Promise.reject(new Error("no route")));
    assert.deepEqual(await plan(), [again, launch]);
  });

  it("reads nothing for what is not in the state", async () => {
    const other = { ...launch, name: "blue-3", urn: launch.urn.replace("green-2", "blue-3") };
    const { plan, done } = planning([other], [other]);
    assert.deepEqual([await plan(), done], [[other], ["preview", "preview"]]);
  });
});
