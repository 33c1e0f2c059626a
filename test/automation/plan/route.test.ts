import assert from "node:assert/strict";
import { routeOf } from "../../../automation/plan/route.ts";
import type { UnfinishedRun } from "../../../automation/run/unfinished-run.ts";
import type { LastOutputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const last = (live: string, run: object | null = null) => ({ outputs: { live, run } }) as unknown as LastOutputs;

function begun(run: Partial<UnfinishedRun>): UnfinishedRun {
  return {
    id: "r1",
    from: "blue",
    to: "green",
    finished: [],
    reached: undefined,
    rollingBack: false,
    waitingFor: undefined,
    approved: new Set(),
    asked: [],
    back: [],
    changed: false,
    commands: {},
    ...run,
  };
}

describe("the route that is planned", () => {
  const toGreen = { ...configOf({ live: "green" }), last: last("blue"), begun: undefined };

  it("is every phase from what serves to the goal", () => {
    const { identity, behind, rows } = routeOf(toGreen);
    assert.deepEqual([identity.from, identity.to, behind], ["blue", "green", []]);
    assert.deepEqual([rows[0], rows.at(-1), rows.length], ["backup", "retire", 8]);
  });

  it("is one update where the goal serves, and where nothing was deployed", () => {
    for (const standing of [last("green"), undefined]) {
      const { identity, rows } = routeOf({ ...toGreen, last: standing });
      assert.deepEqual([identity.from, identity.to, rows], ["green", "green", ["settle"]]);
    }
  });

  it("is what is left of a run that was begun", () => {
    const route = routeOf({
      ...toGreen,
      begun: begun({ finished: ["backup", "launch-first"], reached: "launch-rest" }),
    });
    assert.deepEqual(route.rows.slice(0, 2), ["launch-rest", "connect"]);
    assert.equal(route.identity.id, "r1");
  });

  it("is the way back of a run whose goal was reverted, or that goes back already", () => {
    const reverted = { ...configOf({ live: "blue" }), last: last("blue"), begun: begun({ reached: "connect" }) };
    assert.deepEqual(routeOf(reverted).rows, ["withdraw", "settle"]);
    const goingBack = { ...toGreen, begun: begun({ reached: "drain", rollingBack: true }) };
    assert.deepEqual(routeOf(goingBack).rows, ["readmit", "withdraw", "settle"]);
    const nearlyBack = begun({ reached: "drain", rollingBack: true, back: ["readmit", "withdraw"] });
    assert.deepEqual(routeOf({ ...toGreen, begun: nearlyBack }).rows, ["settle"]);
  });

  it("goes on from the phase that was stepped to by hand", () => {
    const run = { id: "by-hand", from: "blue", to: "green", phase: "observe", step: null };
    assert.deepEqual(routeOf({ ...toGreen, last: last("blue", run) }).rows, ["observe", "drain", "retire"]);
  });

  it("walks up to a phase before it shows the way back from it", () => {
    const { behind, rows } = routeOf(toGreen, "launch-rest");
    assert.deepEqual([behind, rows], [["backup", "launch-first", "launch-rest"], ["settle"]]);
  });

  it("refuses a goal that was reverted after old servers had begun to leave", () => {
    const reverted = { ...configOf({ live: "blue" }), last: last("blue"), begun: begun({ reached: "retire" }) };
    assert.throws(() => routeOf(reverted), {
      name: "ConfigError",
      message: /begun to remove the servers of blue.*set it to green and finish/,
    });
  });

  it("refuses a way back that there is not, and a third goal while a run has not ended", () => {
    assert.throws(() => routeOf(toGreen, "retire"), /no way back from retire.*one of backup, launch-first/);
    assert.throws(() => routeOf({ ...toGreen, last: last("green") }, "connect"), /none, for no run is ahead/);
    const elsewhere = { ...toGreen, begun: begun({ from: "blue", to: "r3" }) };
    assert.throws(() => routeOf(elsewhere), /a run from blue to r3 has not ended, and the goal is green/);
  });
});
