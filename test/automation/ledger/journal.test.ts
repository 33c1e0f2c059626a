import assert from "node:assert/strict";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { openJournal, readJournal } from "../../../automation/ledger/journal.ts";
import { journalKey } from "../../../automation/ledger/table.ts";
import { startDynamoDb, stopDynamoDb } from "./emulator.ts";
import {
  connect,
  createTable,
  MovableClock,
  phaseStarted,
  readItem,
  runStarted,
  type TestTable,
  take,
  writeItem,
} from "./support.ts";

describe("the journal", () => {
  let table: TestTable;

  before(startDynamoDb);
  after(stopDynamoDb);

  beforeEach(async () => {
    table = await createTable();
  });

  async function open() {
    const lease = await take(table, { takeOver: false });
    return { lease, journal: await openJournal({ ...at(table), lease }) };
  }

  const at = ({ client, tableName }: TestTable) => ({ client, tableName });

  it("reads back what was recorded, in order", async () => {
    const { lease, journal } = await open();
    const gate = {
      type: "gate",
      phase: "backup",
      gate: "snapshot",
      verdict: "pass",
      evidence: { state: "completed", progress: [50, 100], ключ: null },
      seconds: 5,
    } as const;
    const written = [
      await journal.append(runStarted),
      await journal.append({ ...gate, evidence: { ...gate.evidence, progress: [50, 100] } }),
    ];
    assert.deepEqual(await journal.events("run-1"), written);
    assert.deepEqual(await journal.last(), written[1]);
    assert.deepEqual(
      written.map(({ sequence, run, token, event }) => ({ sequence, run, token, type: event.type })),
      [
        { sequence: 1, run: "run-1", token: lease.token, type: "run-started" },
        { sequence: 2, run: "run-1", token: lease.token, type: "gate" },
      ],
    );
    assert.deepEqual(await journal.verify(), { ok: true, events: 2 });
  });

  it("sends exactly one request for an event", async () => {
    const { journal } = await open();
    table.sent.length = 0;
    await journal.append(runStarted);
    await journal.append(phaseStarted("backup"));
    assert.deepEqual(table.sent, ["TransactWriteItems", "TransactWriteItems"]);
  });

  it("keeps the order of calls that overlap", async () => {
    const { journal } = await open();
    const phases = ["backup", "migrate", "launch-first"];
    await Promise.all([journal.append(runStarted), ...phases.map((phase) => journal.append(phaseStarted(phase)))]);
    const events = await journal.events();
    assert.deepEqual(
      events.map(({ event }) => ("phase" in event ? event.phase : event.type)),
      ["run-started", ...phases],
    );
  });

  it("records what waits for an earlier event in one request, ten at most", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    table.sent.length = 0;
    const phases = Array.from({ length: 20 }, (_, n) => `phase-${n}`);
    await Promise.all(phases.map((phase) => journal.append(phaseStarted(phase))));
    assert.deepEqual(table.sent, ["TransactWriteItems", "TransactWriteItems", "TransactWriteItems"]);
    assert.deepEqual(
      (await journal.events("run-1")).map(({ event }) => ("phase" in event ? event.phase : event.type)),
      ["run-started", ...phases],
    );
    assert.deepEqual(await journal.verify(), { ok: true, events: 21 });
  });

  it("keeps two runs apart whose events wait for the same request", async () => {
    const { journal } = await open();
    await Promise.all([
      journal.append(runStarted),
      journal.append(phaseStarted("backup")),
      journal.append({ type: "run-finished", outcome: "reached" }),
      journal.append({ ...runStarted, run: "another" }),
      journal.append(phaseStarted("connect")),
    ]);
    assert.deepEqual(
      (await journal.runs()).map(({ run, phase, outcome, first, last }) => ({ run, phase, outcome, first, last })),
      [
        { run: "another", phase: "connect", outcome: undefined, first: 4, last: 5 },
        { run: "run-1", phase: "backup", outcome: "reached", first: 1, last: 3 },
      ],
    );
    assert.deepEqual(await journal.verify(), { ok: true, events: 5 });
  });

  it("goes on with the newest run where another process stopped", async () => {
    const first = await open();
    await first.journal.append(runStarted);
    await first.lease.release();
    const second = await open();
    const record = await second.journal.append(phaseStarted("backup"));
    assert.deepEqual([record.sequence, record.run, record.token], [2, "run-1", 2]);
    assert.deepEqual(await second.journal.verify(), { ok: true, events: 2 });
  });

  it("refuses an event before the first run", async () => {
    const { journal } = await open();
    await assert.rejects(journal.append(phaseStarted("backup")), { code: "ledger-empty" });
  });

  it("lists the runs, the newest first, each with its last phase and its outcome", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    await journal.append(phaseStarted("backup"));
    const { time: finished } = await journal.append({ type: "run-finished", outcome: "rolled-back" });
    await journal.append({ ...runStarted, run: "another" });
    await journal.append(phaseStarted("connect"));
    const [newest, oldest, ...more] = await readJournal(at(table)).runs();
    assert.deepEqual(more, []);
    assert.deepEqual(
      [newest?.run, newest?.from, newest?.to, newest?.phase, newest?.outcome, newest?.finished],
      ["another", "blue", "green", "connect", undefined, undefined],
    );
    assert.deepEqual(
      [oldest?.run, oldest?.phase, oldest?.outcome, oldest?.finished],
      ["run-1", "backup", "rolled-back", finished],
    );
    assert.equal((await journal.events("run-1")).length, 3);
    assert.equal((await journal.events("another")).length, 2);
    assert.deepEqual(await journal.events("unknown"), []);
  });

  it("shows a finished run as unfinished again when it goes on", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    await journal.append({ type: "run-finished", outcome: "failed" });
    await journal.append({ type: "rollback-started", phase: "connect", reason: "by hand" });
    const [run] = await journal.runs();
    assert.deepEqual([run?.finished, run?.outcome, run?.phase], [undefined, undefined, "connect"]);
  });

  it("keeps an event whose evidence is too large, with a mark in the evidence's place", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    const evidence = { lines: Array.from({ length: 20_000 }, (_, line) => `"line" ${line} with ünïcode`) };
    await journal.append({ type: "gate", phase: "observe", gate: "logs", verdict: "fail", evidence, seconds: 3 });
    const event = (await journal.last())?.event;
    assert.ok(event?.type === "gate" && event.verdict === "fail");
    const kept = event.evidence as Record<string, unknown>;
    assert.deepEqual(Object.keys(kept).sort(), ["bytes", "head", "sha256", "truncated"]);
    assert.equal(kept.truncated, true);
    assert.equal(kept.bytes, Buffer.byteLength(JSON.stringify(evidence)));
    assert.ok(JSON.stringify(evidence).startsWith(String(kept.head)));
  });

  it("keeps a plan with too many operations, and says how many were left out", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    const operations = Array.from({ length: 5000 }, (_, n) => ({
      op: "create",
      type: "aws:ec2/instance:Instance",
      name: `green-${n}-${"x".repeat(60)}`,
    }));
    await journal.append({ type: "plan", phase: "launch-rest", digest: "sha256:1", operations });
    const event = (await journal.last())?.event;
    assert.ok(event?.type === "plan" && event.omitted !== undefined);
    assert.equal(event.operations.length + event.omitted, 5000);
    assert.deepEqual(event.operations, operations.slice(0, event.operations.length));
  });

  it("reads more events than fit into one page", async () => {
    const { journal } = await open();
    await journal.append(runStarted);
    const evidence = "x".repeat(300_000);
    for (let n = 0; n < 5; n++) {
      await journal.append({ type: "gate", phase: "observe", gate: `${n}`, verdict: "pass", evidence, seconds: 1 });
    }
    table.sent.length = 0;
    assert.equal((await journal.events()).length, 6);
    assert.ok(table.sent.length > 1, "one page was enough");
  });

  describe("when the connection breaks", () => {
    it("writes an event once although its first response was lost", async () => {
      const { journal } = await open();
      await journal.append(runStarted);
      table.loseResponses(2, "TransactWriteItems");
      await journal.append(phaseStarted("backup"));
      await journal.append(phaseStarted("migrate"));
      assert.deepEqual(await journal.verify(), { ok: true, events: 3 });
    });

    it("writes an event once although all responses were lost and the driver tried again", async () => {
      const { journal } = await open();
      await journal.append(runStarted);
      table.loseResponses(3, "TransactWriteItems");
      await assert.rejects(journal.append(phaseStarted("backup")), { code: "ledger-unavailable" });
      assert.equal((await journal.append(phaseStarted("backup"))).sequence, 2);
      assert.equal((await journal.append(phaseStarted("migrate"))).sequence, 3);
      assert.deepEqual(await journal.verify(), { ok: true, events: 3 });
    });

    it("writes events once whose common request was answered to nobody, and the driver tried the last again", async () => {
      const { journal } = await open();
      await journal.append(runStarted);
      const first = journal.append(phaseStarted("backup"));
      const lost = ["migrate", "launch-first"].map((phase) => journal.append(phaseStarted(phase)));
      const rejected = Promise.all(lost.map((each) => assert.rejects(each, { code: "ledger-unavailable" })));
      await first;
      table.loseResponses(3, "TransactWriteItems");
      await rejected;
      assert.equal((await journal.append(phaseStarted("launch-first"))).sequence, 4);
      assert.deepEqual(await journal.verify(), { ok: true, events: 4 });
    });

    it("does not write what waits behind an event that was lost", async () => {
      const { journal } = await open();
      await journal.append(runStarted);
      table.unreachable = true;
      const lost = ["backup", "migrate", "launch-first"].map((phase) => journal.append(phaseStarted(phase)));
      await Promise.all(lost.map((each) => assert.rejects(each, { code: "ledger-unavailable" })));
      table.unreachable = false;
      assert.equal((await journal.append({ type: "interrupted", signal: "SIGTERM" })).sequence, 2);
      assert.deepEqual(await journal.verify(), { ok: true, events: 2 });
    });

    it("records another event after one of unknown fate", async () => {
      const { journal } = await open();
      await journal.append(runStarted);
      table.loseResponses(3, "TransactWriteItems");
      await assert.rejects(journal.append(phaseStarted("backup")), { code: "ledger-unavailable" });
      await journal.append({ type: "interrupted", signal: "SIGTERM" });
      assert.deepEqual(
        (await journal.events()).map(({ event }) => event.type),
        ["run-started", "phase-started", "interrupted"],
      );
      assert.deepEqual(await journal.verify(), { ok: true, events: 3 });
    });
  });

  it("tries again when a heartbeat at the same moment cancelled the write", async () => {
    const { journal } = await open();
    const error = new TransactionCanceledException({
      $metadata: {},
      message: "Transaction cancelled",
      CancellationReasons: [{ Code: "TransactionConflict" }, { Code: "None" }, { Code: "None" }],
    });
    table.failures.push({ operation: "TransactWriteItems", error }, { operation: "TransactWriteItems", error });
    assert.equal((await journal.append(runStarted)).sequence, 1);
  });

  describe("with two writers", () => {
    it("refuses the one whose lease was taken by another, and records nothing of it", async () => {
      const stale = await open();
      await stale.journal.append(runStarted);
      // As if it had expired: the other one takes it by its own clock.
      const clock = new MovableClock();
      clock.skip(61);
      const other = connect(table.tableName);
      other.serviceClock = clock;
      const lease = await take(other, { clock });
      await assert.rejects(stale.journal.append(phaseStarted("backup")), { code: "lease-lost" });
      assert.equal(stale.lease.lost.aborted, true);
      const journal = await openJournal({ ...at(other), lease });
      await journal.append(phaseStarted("migrate"));
      assert.deepEqual(
        (await journal.events()).map(({ token }) => token),
        [1, 2],
      );
      assert.deepEqual(await journal.verify(), { ok: true, events: 2 });
    });

    it("refuses the one that has released its lease", async () => {
      const { lease, journal } = await open();
      await lease.release();
      table.sent.length = 0;
      await assert.rejects(journal.append(runStarted), { code: "lease-lost" });
      assert.deepEqual(table.sent, []);
    });

    it("never overwrites an event that is there", async () => {
      const { journal } = await open();
      const first = await journal.append(runStarted);
      await writeItem(table, { ...journalKey(2), body: { S: "somebody else's" }, hash: { S: first.hash } });
      await assert.rejects(journal.append(phaseStarted("backup")), { code: "ledger-conflict", sequence: 2 });
    });
  });

  describe("verification of the table", () => {
    beforeEach(async () => {
      const { journal, lease } = await open();
      await journal.append(runStarted);
      for (const phase of ["backup", "migrate", "launch-first"]) await journal.append(phaseStarted(phase));
      await lease.release();
    });

    const found = async () => {
      const result = await readJournal(at(table)).verify();
      return result.ok ? "ok" : `${result.sequence} ${result.problem}`;
    };

    it("finds an edited event", async () => {
      const item = await readItem(table, journalKey(3));
      await writeItem(table, { ...item, body: { S: item.body?.S?.replace("migrate", "connect") ?? "" } });
      assert.equal(await found(), "3 altered");
    });

    it("finds an event that can no longer be read, and reading says which", async () => {
      await writeItem(table, { ...(await readItem(table, journalKey(3))), body: { S: "{}" } });
      assert.equal(await found(), "3 altered");
      await assert.rejects(readJournal(at(table)).events(), { code: "ledger-unreadable", entry: "000000000003" });
    });

    it("finds that an event stands in another's place", async () => {
      const [second, third] = [await readItem(table, journalKey(2)), await readItem(table, journalKey(3))];
      await writeItem(table, { ...third, ...journalKey(2) });
      await writeItem(table, { ...second, ...journalKey(3) });
      assert.equal(await found(), "2 altered");
    });
  });

  it("says that the table is missing before the first deployment", async () => {
    const missing = connect("handover-nowhere");
    await assert.rejects(take(missing), { code: "ledger-missing", tableName: "handover-nowhere" });
    await assert.rejects(readJournal(at(missing)).runs(), { code: "ledger-missing" });
    await assert.rejects(openJournal({ ...at(missing), lease: await take(table) }), { code: "ledger-missing" });
  });
});
