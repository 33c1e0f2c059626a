import assert from "node:assert/strict";
import type { Deployment, StateResource } from "../../../automation/engine/deployment.ts";
import { readLate } from "../../../automation/run/late-readings.ts";

const signal = new AbortController().signal;
const late = [{ urn: "urn:rule", before: { actions: ["blue"] } }];

/** Readings of a rule, one after the other; the last one stays. Undefined: AWS does not find it. */
function engineThatReads(readings: readonly (string | undefined)[]) {
  const resource = (action: string) =>
    ({ urn: "urn:rule", outputs: { actions: [action] } }) as unknown as StateResource;
  let state: Deployment = { resources: [resource("blue")] };
  let reads = 0;
  const refreshed: string[][] = [];
  const engine = {
    refresh: async (urns: readonly string[]) => {
      refreshed.push([...urns]);
      const shown = readings[Math.min(reads++, readings.length - 1)];
      state = { resources: shown === undefined ? [] : [resource(shown)] };
    },
    state: {
      export: async () => state,
      import: async (deployment: Deployment) => {
        state = deployment;
      },
    },
  };
  return { engine, refreshed, actions: () => state.resources?.map(({ outputs }) => outputs?.actions) };
}

describe("a change that AWS shows late", () => {
  it("is read until the state has it", async () => {
    const { engine, refreshed, actions } = engineThatReads(["blue", "green"]);
    assert.deepEqual(await readLate(engine, late, signal), []);
    assert.deepEqual([refreshed, actions()], [[["urn:rule"], ["urn:rule"]], [["green"]]]);
  });

  it("is not dropped from the state where AWS does not find its resource for a moment", async () => {
    const { engine, actions } = engineThatReads([undefined, "green"]);
    assert.deepEqual(await readLate(engine, late, signal), []);
    assert.deepEqual(actions(), [["green"]]);
  });

  it("is told where AWS does not show it in time", async () => {
    const { engine } = engineThatReads(["blue"]);
    assert.deepEqual(await readLate(engine, late, signal, 1), late);
  });

  it("was changed by somebody else where AWS shows neither: that is not late", async () => {
    const { engine } = engineThatReads(["red"]);
    assert.deepEqual(await readLate(engine, late, signal), []);
  });
});
