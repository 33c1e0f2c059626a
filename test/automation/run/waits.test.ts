import assert from "node:assert/strict";
import { mock } from "node:test";
import { type Told, Waits } from "../../../automation/run/waits.ts";

describe("waiting for gates", () => {
  let told: Told[];
  let waits: Waits;
  /** How many lines each of these seconds brought. */
  const linesIn = (...seconds: number[]) =>
    seconds.map((each) => {
      const before = told.length;
      mock.timers.tick(each * 1000);
      return told.length - before;
    });

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    told = [];
    waits = new Waits((waiting) => told.push(waiting));
  });
  afterEach(() => {
    waits.end();
    mock.timers.reset();
  });

  it("is told after a while, then ever more rarely, and at least once a minute", () => {
    waits.heard({ gate: "targets drained: blue", evidence: { draining: 2 }, leftSeconds: 600 });
    assert.deepEqual(linesIn(4.9, 0.1, 9.9, 0.1, 20, 40, 60, 60), [0, 1, 0, 1, 1, 1, 1, 1]);
    const [first] = told;
    assert.deepEqual([first?.gate, first?.evidence], ["targets drained: blue", { draining: 2 }]);
  });

  it("names the gate that may take longest, as it was seen last, and none that has settled", () => {
    waits.heard({ gate: "a", evidence: 1, leftSeconds: 100 });
    waits.heard({ gate: "b", evidence: 1, leftSeconds: 500 });
    waits.heard({ gate: "b", evidence: 2, leftSeconds: 400 });
    linesIn(5);
    waits.settled("b");
    linesIn(10);
    waits.settled("a");
    linesIn(20);
    assert.deepEqual(
      told.map(({ gate, evidence }) => [gate, evidence]),
      [
        ["b", 2],
        ["a", 1],
      ],
    );
  });

  it("says how long all gates are watched yet", () => {
    waits.watch(300);
    linesIn(5);
    assert.deepEqual([told[0]?.gate, Math.round(told[0]?.leftSeconds ?? 0)], ["watching", 300]);
  });

  it("is over when nobody waits any more", () => {
    waits.heard({ gate: "a", evidence: 1, leftSeconds: 100 });
    waits.end();
    assert.deepEqual(linesIn(3600), [0]);
  });
});
