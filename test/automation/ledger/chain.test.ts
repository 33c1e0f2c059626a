import assert from "node:assert/strict";
import { noHash, seal, verify } from "../../../automation/ledger/chain.ts";
import type { LedgerRecord } from "../../../automation/ledger/events.ts";
import { phaseStarted, runStarted } from "./support.ts";

describe("the ledger's hash chain", () => {
  const phases = ["backup", "migrate", "launch-first", "connect"];

  function chain(): LedgerRecord[] {
    const records: LedgerRecord[] = [];
    for (const event of [runStarted, ...phases.map(phaseStarted)]) {
      const { body: _body, ...record } = seal({
        sequence: records.length + 1,
        run: "run-1",
        time: "2026-11-24T09:00:00.000Z",
        token: 1,
        previous: records.at(-1)?.hash ?? noHash,
        event,
      });
      records.push(record);
    }
    return records;
  }

  function found(records: LedgerRecord[], bounds: Parameters<typeof verify>[1] = { first: 1 }) {
    const result = verify(records, bounds);
    return result.ok ? "ok" : `${result.sequence} ${result.problem}`;
  }

  it("is whole when nothing was changed", () => {
    assert.deepEqual(verify(chain(), { first: 1 }), { ok: true, events: 5 });
    assert.equal(found([]), "ok");
  });

  it("can be checked for a part of the ledger, as for one run", () => {
    assert.equal(found(chain().slice(2), {}), "ok");
  });

  it("names an event whose content was altered", () => {
    const records = chain();
    records[2] = { ...records[2], event: phaseStarted("retire") } as LedgerRecord;
    assert.equal(found(records), "3 altered");
  });

  it("names an event whose time, token or run was altered", () => {
    for (const change of [{ time: "2026-11-24T10:00:00.000Z" }, { token: 2 }, { run: "run-2" }]) {
      const records = chain();
      records[3] = { ...records[3], ...change } as LedgerRecord;
      assert.equal(found(records), "4 altered");
    }
  });

  it("names an event that was altered together with its own hash", () => {
    const records = chain();
    const { hash: _hash, ...rest } = records[1] as LedgerRecord;
    const { body: _body, ...forged } = seal({ ...rest, event: phaseStarted("retire") });
    records[1] = forged;
    assert.equal(found(records), "2 altered");
  });

  it("names an event that is missing in the middle, at the beginning or at the end", () => {
    const records = chain();
    const head = { sequence: 5, hash: records[4]?.hash ?? "" };
    assert.equal(found(records.toSpliced(2, 1)), "3 missing");
    assert.equal(found(records.slice(1)), "1 missing");
    assert.equal(found(records.slice(0, 4), { head }), "5 missing");
    assert.equal(found([], { head }), "1 missing");
  });

  it("names the first event that stands in the wrong place", () => {
    const [a, b, c, d, e] = chain() as [LedgerRecord, LedgerRecord, LedgerRecord, LedgerRecord, LedgerRecord];
    assert.equal(found([a, c, b, d, e]), "3 reordered");
  });

  it("names the last event when another version of it was recorded", () => {
    assert.equal(found(chain(), { head: { sequence: 5, hash: noHash } }), "5 altered");
  });
});
