import assert from "node:assert/strict";
import { runReport } from "../../../automation/cli/run-report.ts";
import type { LedgerEvent, LedgerRecord } from "../../../automation/ledger/events.ts";
import type { Journal } from "../../../automation/ledger/journal.ts";
import { RunLedger } from "../../../automation/run/run-ledger.ts";

/** A journal in which each event waits until a test lets it be written or lost. */
class SlowJournal {
  readonly written: string[] = [];
  readonly #waiting: { type: string; resolve: () => void; reject: (error: Error) => void }[] = [];

  append({ type }: LedgerEvent): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ type, resolve, reject }));
  }

  write(): void {
    for (const { type, resolve } of this.#waiting.splice(0)) {
      this.written.push(type);
      resolve();
    }
  }

  lose(): void {
    for (const { type, reject } of this.#waiting.splice(0)) reject(new Error(`${type} was lost`));
  }
}

describe("a run's side of the ledger", () => {
  let journal: SlowJournal;
  let ledger: RunLedger;

  beforeEach(() => {
    journal = new SlowJournal();
    ledger = new RunLedger(new Set(), () => undefined, { journal: journal as unknown as Journal });
  });

  it("lets the run go on while events are written, and says when they are on record", async () => {
    ledger.note({ type: "phase-started", phase: "backup" });
    ledger.note({ type: "phase-finished", phase: "backup" });
    const isWritten = ledger.written().then(() => [...journal.written]);
    journal.write();
    assert.deepEqual(await isWritten, ["phase-started", "phase-finished"]);
  });

  it("records no secret of the inputs, in whichever way it is encoded, so that the report has none either", async () => {
    const events: LedgerEvent[] = [];
    const append = async (event: LedgerEvent) => events.push(event);
    const secretive = new RunLedger(new Set(["p@ss/w"]), () => undefined, {
      journal: { append } as unknown as Journal,
    });
    const run = { id: "20261124-093015-5f3a", from: "blue", to: "green" };
    const after = { URL: "postgres://u:p%40ss%2fw@db", BASIC: "dTpwQHNzL3c=", KEY: { secure: "v1:abc" } };
    await secretive.started(run, "handover upgrade", { before: {}, after });
    const time = "2026-11-24T09:30:15.000Z";
    const report = runReport(events.map((event) => ({ event, time }) as LedgerRecord));
    assert.deepEqual(report.inputs, [
      { name: "BASIC", before: null, after: "dT[secret]" },
      { name: "KEY", before: null, after: "[secret]" },
      { name: "URL", before: null, after: "postgres://u:[secret]@db" },
    ]);
  });

  it("gives the lease back only when what was noted is on record", async () => {
    ledger.note({ type: "phase-finished", phase: "retire" });
    const atTheEnd = ledger.close().then(() => [...journal.written]);
    journal.write();
    assert.deepEqual(await atTheEnd, ["phase-finished"]);
  });

  it("waits for nothing when nothing is noted, or nothing is recorded at all", async () => {
    await ledger.written();
    const unrecorded = ledger.unrecorded();
    unrecorded.note({ type: "phase-started", phase: "settle" });
    await unrecorded.written();
    assert.deepEqual(journal.written, []);
  });

  it("records nothing more once an event is lost, and tells everybody who waits or records", async () => {
    ledger.note({ type: "phase-started", phase: "backup" });
    journal.lose();
    await assert.rejects(ledger.written(), { message: "phase-started was lost" });
    ledger.note({ type: "phase-finished", phase: "backup" });
    await assert.rejects(ledger.append({ type: "run-finished", outcome: "reached" }), {
      message: "phase-started was lost",
    });
    journal.write();
    assert.deepEqual(journal.written, []);
  });
});
