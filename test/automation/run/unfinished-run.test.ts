import assert from "node:assert/strict";
import type { LedgerEvent, LedgerRecord } from "../../../automation/ledger/events.ts";
import { unfinishedRun } from "../../../automation/run/unfinished-run.ts";

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

  it("knows everything that was found before the new generation had traffic", () => {
    const ringing = (id: string) => ({ kind: "alarm" as const, id, name: id, seen: "in ALARM" });
    const look = (down: boolean, id: string) =>
      ({ type: "baseline", down, bad: [ringing(id)], unseen: [] }) satisfies LedgerEvent;
    const { baseline } = unfinishedRun(records(look(true, "a"), look(false, "b"))) ?? {};
    assert.deepEqual(baseline, { down: true, bad: [ringing("a"), ringing("b")], unseen: [] });
    assert.equal(unfinishedRun(records())?.baseline, undefined);
  });

  it("knows which of a phase's updates was planned last", () => {
    const plan = { type: "plan" as const, phase: "connect", digest: "d", operations: [] };
    const { lastPlanned } = unfinishedRun(records({ ...plan, step: 1 }, { ...plan, step: 2 })) ?? {};
    assert.deepEqual(lastPlanned, { row: "connect", step: 2 });
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
    assert.deepEqual([run?.rollingBack, run?.reached, run?.back], [true, "connect", []]);
  });

  it("knows which rows of the way back are behind it", () => {
    const run = unfinishedRun(
      records(
        { type: "phase-started", phase: "drain" },
        { type: "rollback-started", phase: "drain", reason: "smoke" },
        { type: "phase-finished", phase: "readmit" },
        { type: "phase-started", phase: "withdraw" },
        { type: "rollback-started", phase: "drain", reason: "resumed" },
        { type: "phase-finished", phase: "withdraw" },
      ),
    );
    assert.deepEqual(run?.back, ["readmit", "withdraw"]);
  });

  it("does not take a phase that waits for approval for one that was begun", () => {
    const run = unfinishedRun(
      records(
        { type: "phase-started", phase: "drain" },
        { type: "phase-finished", phase: "drain" },
        { type: "plan", phase: "retire", digest: "d1", operations: [] },
        { type: "paused", phase: "retire", reason: "approval", digest: "d1" },
      ),
    );
    assert.deepEqual([run?.reached, run?.waitingFor?.phase], ["drain", "retire"]);
  });

  it("remembers for which phases a person was asked, whatever was approved since", () => {
    const paused: LedgerEvent = { type: "paused", phase: "connect", reason: "approval", digest: "d1" };
    const plan: LedgerEvent = { type: "plan", phase: "connect", digest: "d1", operations: [] };
    const approved: LedgerEvent = { type: "approved", phase: "connect", digest: "d1", by: "ada" };
    const sessions: LedgerEvent = { type: "paused", phase: "drain", reason: "approval", digest: "no plan" };
    const run = unfinishedRun(records(plan, paused, approved, sessions));
    assert.deepEqual(run?.asked, ["connect"]);
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
