import assert from "node:assert/strict";
import {
  lastByHand,
  lastUpdate,
  phasesOf,
  positionOf,
  updatesOf,
  wayBack,
} from "../../../automation/runbook/updates.ts";
import { configOf } from "../config.ts";

describe("the updates of a run", () => {
  const { config, shape } = configOf();
  const run = { id: "r1", from: "blue", to: "green" };

  it("leave out the phases that a site does not have", () => {
    assert.deepEqual(phasesOf({ config, shape, ...run }), [
      "backup",
      "launch-first",
      "launch-rest",
      "connect",
      "move-addresses",
      "observe",
      "drain",
      "retire",
    ]);
    const small = configOf({ elasticIps: 0, frontends: 1 });
    assert.deepEqual(phasesOf({ ...small, ...run }), [
      "backup",
      "launch-first",
      "connect",
      "observe",
      "drain",
      "retire",
    ]);
  });

  it("are one for each step of a phase", () => {
    assert.deepEqual(updatesOf(shape, "backup"), [{ row: "backup" }]);
    assert.deepEqual(updatesOf(shape, "connect"), [
      { row: "connect", step: 1 },
      { row: "connect", step: 2 },
    ]);
    assert.deepEqual(updatesOf(shape, "migrate"), []);
  });

  it("are none for addresses on a way back on which all are where they belong", () => {
    const steps = (short?: readonly string[]) => updatesOf(shape, "withdraw", undefined, short).map(({ step }) => step);
    assert.deepEqual(
      [steps(), steps(["blue-1"]), steps([])],
      [
        [1, 2, 3],
        [1, 2, 3],
        [1, 3],
      ],
    );
  });

  it("go on with the step that was planned last, and take nothing back that a later step has done", () => {
    const last = { row: "connect", step: 2 };
    assert.deepEqual(updatesOf(shape, "connect", last), [{ row: "connect", step: 2 }]);
    assert.deepEqual(updatesOf(shape, "connect", lastByHand({ ...run, phase: "connect", step: null })), [last]);
    assert.equal(updatesOf(shape, "move-addresses", last).length, 3);
  });

  it("go back by as many rows as were reached", () => {
    assert.deepEqual(wayBack("launch-rest"), ["settle"]);
    assert.deepEqual(wayBack("connect"), ["withdraw", "settle"]);
    assert.deepEqual(wayBack("drain"), ["readmit", "withdraw", "settle"]);
  });

  it("do not repeat what is behind them when the way back is resumed", () => {
    assert.deepEqual(wayBack("drain", ["readmit"]), ["withdraw", "settle"]);
    assert.deepEqual(wayBack("drain", ["readmit", "withdraw"]), ["settle"]);
  });

  it("carry the run's place in the runbook, and none when one generation shall be alone", () => {
    assert.deepEqual(positionOf({ row: "connect", step: 2 }, run), {
      live: "green",
      phase: "connect",
      step: 2,
      run,
    });
    assert.deepEqual(positionOf({ row: "retire", left: ["blue-2"] }, run).run, { ...run, left: ["blue-2"] });
    assert.deepEqual(positionOf({ row: "settle" }, run), { live: "blue", run: { id: "r1", from: "blue", to: "blue" } });
  });

  it("are known of a stack with one generation alone: it is at the goal, or where the run came from", () => {
    const of = (live: string, identity: { from: string; to: string } = run) =>
      lastUpdate({ live, run: null, generations: {}, addresses: [] }, identity);
    assert.deepEqual(of("green"), { row: "retire" });
    assert.deepEqual(of("blue"), { row: "settle" });
    assert.deepEqual(of("green", { from: "green", to: "green" }), { row: "settle" });
  });
});
