import assert from "node:assert/strict";
import { standingOf } from "../../../automation/run/standing.ts";
import type { UnfinishedRun } from "../../../automation/run/unfinished-run.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { phaseNames } from "../../../stacks/runbook.ts";

/** A run that is paused before a phase; everything before that phase is behind it. */
function pausedBefore(index: number): UnfinishedRun {
  return {
    id: "r1",
    from: "blue",
    to: "green",
    finished: phaseNames.slice(0, index),
    reached: phaseNames[index - 1],
    rollingBack: false,
    waitingFor: undefined,
    approved: new Set(),
    asked: [],
    back: [],
    changed: index > 0,
    commands: {},
  };
}
const paused = phaseNames.map((phase, index) => ({ phase, run: pausedBefore(index) }));
const byHand = (phase: string, to = "green") => ({ id: "by-hand", from: "blue", to, phase, step: null });
const stack = (live: string, run: Outputs["run"] = null) => ({ live, run }) as unknown as Outputs;
const standing = (run: UnfinishedRun | undefined, outputs: Outputs | undefined) =>
  standingOf(run, outputs, () => "new");

describe("a run, and what a person did with pulumi since", () => {
  for (const { phase, run } of paused) {
    it(`is under way while it is paused before ${phase} and nobody did anything`, () => {
      const position = { id: "r1", from: "blue", to: "green", phase: run.reached ?? "", step: null };
      const outputs = stack("blue", run.changed ? position : null);
      assert.deepEqual(standing(run, outputs), { run, unrecorded: "nothing" });
    });

    it(`has reached its goal when it was finished by hand from ${phase}`, () => {
      assert.equal(standing(run, stack("green"))?.ended, "reached");
    });

    it(`goes on from where it was stepped to by hand while it was paused before ${phase}`, () => {
      for (const [index, to] of phaseNames.entries()) {
        const found = standing(run, stack("blue", byHand(to)));
        assert.deepEqual(
          [found?.ended, found?.unrecorded, found?.run.id, found?.run.reached, found?.run.finished],
          [undefined, "steps", "r1", to, phaseNames.slice(0, index)],
        );
      }
    });

    it(`goes back when a person has begun to, while it was paused before ${phase}`, () => {
      for (const row of ["withdraw", "readmit"])
        assert.equal(standing(run, stack("blue", byHand(row)))?.run.rollingBack, true);
    });

    it(`has ended when the stack was taken elsewhere while it was paused before ${phase}`, () => {
      assert.equal(standing(run, stack("blue", byHand("launch-first", "red")))?.ended, "rolled-back");
      assert.equal(standing(run, stack("red"))?.ended, "given-up");
    });
  }

  it("was taken back by hand when only the old generation is left, once it had changed anything", () => {
    const ended = paused.map(({ run }) => standing(run, stack("blue"))?.ended);
    assert.deepEqual(ended, [undefined, ...paused.slice(1).map(() => "rolled-back")]);
  });

  it("is the driver's to end when the driver was killed after its last update, on the way there or back", () => {
    const last: UnfinishedRun = { ...pausedBefore(phaseNames.length - 1), reached: phaseNames.at(-1) };
    assert.equal(standing(last, stack("green"))?.ended, undefined);
    const back = { ...pausedBefore(5), rollingBack: true };
    assert.equal(standing(back, stack("blue"))?.ended, undefined);
  });

  it("was begun by hand when the ledger has none", () => {
    const found = standing(undefined, stack("blue", byHand("connect")));
    assert.deepEqual([found?.unrecorded, found?.run.id, found?.run.reached], ["run", "new", "connect"]);
    assert.equal(standing(undefined, stack("blue")), undefined);
    assert.equal(standing(undefined, undefined), undefined);
  });
});
