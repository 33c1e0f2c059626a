import assert from "node:assert/strict";
import type { LedgerEvent, Purpose } from "../../../automation/ledger/events.ts";
import {
  applyEvent,
  type CommandStates,
  isFrozen,
  once,
  schemaAfter,
} from "../../../automation/site-commands/command-states.ts";

const started = (purpose: Purpose): LedgerEvent => ({
  type: "command-started",
  phase: "migrate",
  purpose,
  command: ["./x"],
});
const finished = (purpose: Purpose, exitCode: number | null): LedgerEvent => ({
  type: "command-finished",
  phase: "migrate",
  purpose,
  exitCode,
  seconds: 1,
});
const statesAfter = (...events: LedgerEvent[]): CommandStates => events.reduce(applyEvent, {});

describe("how a run's commands ended", () => {
  it("is cut off from the begin until the end is on record, and also when it was ended", () => {
    assert.deepEqual(statesAfter(started("migrate")), { migrate: "cut-off" });
    assert.deepEqual(statesAfter(started("migrate"), finished("migrate", null)), { migrate: "cut-off" });
    assert.deepEqual(statesAfter(started("migrate"), finished("migrate", 0)), { migrate: "done" });
    assert.deepEqual(statesAfter(started("migrate"), finished("migrate", 1)), { migrate: "failed" });
  });

  it("is done where the phase is over by hand", () => {
    assert.deepEqual(statesAfter({ type: "phase-finished", phase: "migrate" }), { migrate: "done" });
  });

  it("leaves the database frozen until a thaw has succeeded, again after each freeze", () => {
    const freeze = [started("freeze"), finished("freeze", 0)];
    const thaw = [started("thaw"), finished("thaw", 0)];
    assert.deepEqual(
      [
        statesAfter(),
        statesAfter(started("freeze")),
        statesAfter(...freeze),
        statesAfter(...freeze, started("thaw")),
        statesAfter(...freeze, started("thaw"), finished("thaw", 1)),
        statesAfter(...freeze, ...thaw),
        statesAfter(...freeze, ...thaw, ...freeze),
      ].map(isFrozen),
      [false, true, true, true, true, false, true],
    );
  });
});

describe("a command that must run once", () => {
  const asked = { idempotent: false, ruling: undefined };

  it("is run when it never was, and skipped when it is done, whatever anybody says", () => {
    assert.equal(once(undefined, asked), "run");
    assert.equal(once("done", { idempotent: true, ruling: "again" }), "skip");
  });

  for (const state of ["cut-off", "failed"] as const) {
    it(`needs a person's word after it was ${state}, unless it is idempotent`, () => {
      assert.equal(once(state, asked), "ask");
      assert.equal(once(state, { ...asked, ruling: "again" }), "run");
      assert.equal(once(state, { ...asked, ruling: "done" }), "skip");
      assert.equal(once(state, { ...asked, idempotent: true }), "run");
    });
  }
});

describe("the database's schema", () => {
  it("is known but for a migration that was cut off", () => {
    assert.deepEqual(
      [{}, { migrate: "failed" }, { migrate: "done" }, { migrate: "cut-off" }].map((states) =>
        schemaAfter(states as CommandStates, undefined),
      ),
      ["old", "old", "new", "unknown"],
    );
    assert.equal(schemaAfter({ migrate: "cut-off" }, "done"), "new");
  });
});
