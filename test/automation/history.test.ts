import assert from "node:assert/strict";
import { unfinishedRun } from "../../automation/history.ts";
import type { LedgerEvent, LedgerRecord } from "../../automation/ledger/events.ts";

const begin: LedgerEvent = {
  type: "run-started",
  run: "r1",
  from: "blue",
  to: "green",
  command: "handover upgrade",
  goal: {},
  inputs: { before: {}, after: {} },
};
const records = (...events: LedgerEvent[]) => [begin, ...events].map((event) => ({ event }) as LedgerRecord);

describe("history", () => {
  it("knows how far an unfinished run got", () => {
    const run = unfinishedRun(
      records(
        { type: "phase-started", phase: "backup" },
        { type: "phase-finished", phase: "backup" },
        { type: "phase-started", phase: "launch-first" },
      ),
    );
    assert.deepEqual(
      [run?.id, run?.finished, run?.reached, run?.rollingBack],
      ["r1", ["backup"], "launch-first", false],
    );
  });

  it("has nothing to go on with after the end", () => {
    assert.equal(unfinishedRun(records({ type: "run-finished", outcome: "reached" })), undefined);
  });

  it("remembers that a run was on its way back", () => {
    const run = unfinishedRun(
      records(
        { type: "phase-started", phase: "connect" },
        { type: "rollback-started", phase: "connect", reason: "smoke" },
        { type: "phase-started", phase: "withdraw" },
      ),
    );
    assert.deepEqual([run?.rollingBack, run?.reached], [true, "connect"]);
  });

  it("knows what waits for approval, and what was approved", () => {
    const paused: LedgerEvent = { type: "paused", phase: "move-addresses", reason: "approval", digest: "d1" };
    assert.equal(unfinishedRun(records(paused))?.waitingFor?.digest, "d1");
    const approved = unfinishedRun(
      records(paused, { type: "approved", phase: "move-addresses", digest: "d1", by: "ada" }),
    );
    assert.deepEqual([approved?.waitingFor, approved?.approved.has("d1")], [undefined, true]);
  });
});
