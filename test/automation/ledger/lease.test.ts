import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LeaseHeldError } from "../../../automation/ledger/errors.ts";
import { openJournal } from "../../../automation/ledger/journal.ts";
import { readLease } from "../../../automation/ledger/lease.ts";
import { readRecord, recordItem } from "../../../automation/ledger/lease-record.ts";
import { startDynamoDb, stopDynamoDb } from "./emulator.ts";
import {
  connect,
  createTable,
  MovableClock,
  phaseStarted,
  runStarted,
  type TestTable,
  take,
  writeItem,
} from "./support.ts";

describe("the lease", () => {
  let table: TestTable;

  before(startDynamoDb);
  after(stopDynamoDb);

  beforeEach(async () => {
    table = await createTable();
  });

  it("has a token that grows by one with each acquisition", async () => {
    for (const token of [1, 2, 3]) {
      const lease = await take(table);
      assert.equal(lease.token, token);
      await lease.release();
    }
    assert.deepEqual(await readLease(table), { state: "free", token: 3 });
  });

  it("goes to exactly one of many competitors, when it is new, free or expired", async () => {
    const compete = async (clock?: MovableClock) => {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => take(table, clock ? { clock } : {})));
      const leases = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
      assert.deepEqual([leases.length, refusals], [1, Array(7).fill("lease-held")]);
      return leases[0];
    };
    const first = await compete();
    await first?.release();
    const second = await compete();
    const late = new MovableClock();
    late.skip(61);
    table.serviceClock = late;
    const third = await compete(late);
    assert.deepEqual([first?.token, second?.token, third?.token], [1, 2, 3]);
  });

  it("says who has it, where, for what, until when, and what to type next", async () => {
    const owner = { who: "alice", host: "ci-7", pid: 4242, job: "https://ci.example.com/jobs/17" };
    const lease = await take(table, { owner, command: "handover upgrade --stack production" });
    const status = await readLease(table);
    assert.deepEqual(status, { state: "held", token: 1, holder: lease.owner });
    await assert.rejects(take(table), (error: unknown) => {
      assert.ok(error instanceof LeaseHeldError);
      assert.equal(error.code, "lease-held");
      assert.deepEqual(error.holder, lease.owner);
      const { who, host, pid, job, command } = error.holder;
      assert.deepEqual({ who, host, pid, job }, owner);
      assert.equal(Date.parse(error.holder.expires) - Date.parse(error.holder.heartbeat), 60_000);
      const message = error.explain("production");
      for (const part of [
        ...Object.values(owner).filter((value) => value !== 4242),
        command,
        "--wait",
        "--take-over",
      ]) {
        assert.ok(message.includes(String(part)), `the message lacks ${part}`);
      }
      return true;
    });
  });

  it("is extended by its heartbeat", async () => {
    const lease = await take(table, { seconds: 3 });
    let status = await readLease(table);
    while (!(status.state === "held" && status.holder.heartbeat > lease.owner.heartbeat)) {
      await sleep(10);
      status = await readLease(table);
    }
    lease.assertHeld();
    await lease.release();
  });

  it("is not taken from a holder whose heartbeats arrive, however long somebody waits", async () => {
    const holder = await take(table, { seconds: 3 });
    await assert.rejects(take(table, { waitSeconds: 3.2 }), { code: "lease-held" });
    holder.assertHeld();
    await holder.release();
  });

  it("goes to the one who waits as soon as it is released", async () => {
    const first = await take(table);
    const waiting = take(connect(table.tableName), { waitSeconds: 600 });
    await first.release();
    assert.equal((await waiting).token, 2);
  });

  it("expires for the one who waits, even if the dead one's clock was an hour ahead", async () => {
    const dead = connect(table.tableName);
    await take(dead, { seconds: 0.3 });
    dead.unreachable = true;
    const clock = new MovableClock();
    clock.wallOffset = -3_600_000;
    table.serviceClock = clock;
    assert.equal((await take(table, { waitSeconds: 600, clock })).token, 2);
  });

  it("is not taken by a machine whose clock is minutes ahead, nor taken early from one whose clock is behind", async () => {
    const [ahead, behind] = [new MovableClock(), new MovableClock()];
    ahead.wallOffset = 120_000;
    behind.wallOffset = -120_000;
    const lease = await take(table, { clock: behind });
    await assert.rejects(take(table), { code: "lease-held" });
    await assert.rejects(take(table, { clock: ahead }), { code: "lease-held" });
    lease.assertHeld();
  });

  it("stops waiting when the signal says so", async () => {
    await take(table);
    const stop = new AbortController();
    const waiting = take(table, { waitSeconds: 600, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("Ctrl-C")), 50);
    await assert.rejects(waiting, { message: "Ctrl-C" });
    await assert.rejects(take(table, { signal: stop.signal }), { message: "Ctrl-C" });
  });

  it("is acquired although the response to the acquisition was lost", async () => {
    for (const [responses, token] of [
      [1, 1],
      [3, 2],
    ] as const) {
      table.loseResponses(responses, "PutItem");
      const lease = await take(table);
      assert.equal(lease.token, token);
      await lease.release();
    }
  });

  it("is lost when DynamoDB stays out of reach, with a signal, and not before its time", async () => {
    const lease = await take(table, { seconds: 0.6 });
    table.unreachable = true;
    lease.assertHeld();
    await once(lease.lost, "abort");
    assert.equal(lease.lost.reason.code, "lease-lost");
    assert.throws(() => lease.assertHeld(), lease.lost.reason);
  });

  it("survives a heartbeat that fails once", async () => {
    const lease = await take(table, { seconds: 4 });
    table.unreachable = true;
    while (!table.sent.includes("UpdateItem")) await sleep(5);
    table.unreachable = false;
    let status = await readLease(connect(table.tableName));
    while (!(status.state === "held" && status.holder.heartbeat > lease.owner.heartbeat)) {
      await sleep(10);
      status = await readLease(connect(table.tableName));
    }
    lease.assertHeld();
    await lease.release();
  });

  it("is lost at once when a heartbeat finds that somebody else has it", async () => {
    const lease = await take(table, { seconds: 3 });
    const late = new MovableClock();
    late.skip(61);
    const other = connect(table.tableName);
    other.serviceClock = late;
    await take(other, { clock: late, owner: { who: "bob", host: "other", pid: 1 } });
    await once(lease.lost, "abort");
    assert.match(lease.lost.reason.message, /bob on other/);
  });

  it("does not touch the next holder's lease when a lost one is released", async () => {
    const clock = new MovableClock();
    const lost = await take(table, { clock });
    clock.skip(61);
    table.serviceClock = clock;
    const next = await take(table, { clock });
    await lost.release();
    assert.equal((await readLease(table)).state, "held");
    next.assertHeld();
    table.unreachable = true;
    await next.release();
  });

  describe("of a driver that was stopped past its expiry", () => {
    const jumps: Record<string, (clock: MovableClock) => void> = {
      "as both clocks show": (clock) => clock.skip(51),
      "as only the monotonic clock shows, because the other was set back": (clock) => {
        clock.monotonicOffset = 51_000;
        clock.wallOffset = -1000;
      },
      "as only the wall clock shows, because the machine slept": (clock) => {
        clock.wallOffset = 51_000;
      },
    };
    for (const [how, jump] of Object.entries(jumps)) {
      it(`is known to be lost before the next operation, ${how}`, async () => {
        const clock = new MovableClock();
        const lease = await take(table, { clock });
        const journal = await openJournal({ ...table, lease, clock });
        await journal.append(runStarted);
        table.sent.length = 0;
        jump(clock);
        assert.throws(() => lease.assertHeld(), { code: "lease-lost" });
        assert.equal(lease.lost.aborted, true);
        await assert.rejects(journal.append(phaseStarted("backup")), { code: "lease-lost" });
        assert.deepEqual(table.sent, []);
      });
    }

    it("is still held a moment before", async () => {
      const clock = new MovableClock();
      const lease = await take(table, { clock });
      clock.skip(49);
      lease.assertHeld();
    });
  });

  describe("between processes", () => {
    let stopHolder: (() => void) | undefined;

    afterEach(() => stopHolder?.());

    async function holder(seconds: number) {
      const child = spawn(process.execPath, [`${import.meta.dirname}/holder.ts`, table.tableName, String(seconds)], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      stopHolder = () => child.kill("SIGKILL");
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async () => (await lines.next()).value;
      assert.equal(await next(), "held");
      return {
        child,
        say: (word: string) => child.stdin.write(`${word}\n`),
        next,
      };
    }

    it("can be taken over from a process that died on this machine, and not while it lives", async () => {
      const { child } = await holder(60);
      await assert.rejects(take(table, { takeOver: true }), /still running here/);
      child.kill("SIGKILL");
      await once(child, "exit");
      await assert.rejects(take(table), { code: "lease-held" });
      assert.equal((await take(table, { takeOver: true })).token, 2);
    });

    it("is lost by a process that SIGSTOP held past the expiry", async () => {
      const { child, say, next } = await holder(0.9);
      child.kill("SIGSTOP");
      assert.equal((await take(table, { waitSeconds: 600 })).token, 2);
      child.kill("SIGCONT");
      say("check");
      assert.equal(await next(), "lease-lost");
    });

    it("does not keep a process from ending after its release", async () => {
      const { child, say } = await holder(60);
      say("release");
      assert.deepEqual(await once(child, "exit"), [0, null]);
      assert.equal((await readLease(table)).state, "free");
    });
  });

  it("cannot be taken over from another machine, nor from another process that has its number now", async () => {
    await take(table, { owner: { who: "alice", host: hostname(), pid: process.pid } });
    const { record } = await readRecord(table);
    assert.ok(record);
    await writeItem(table, recordItem({ ...record, holder: { ...record.holder, machine: "another boot" } }));
    await assert.rejects(take(table, { takeOver: true }), /another machine/);
    await writeItem(table, recordItem({ ...record, holder: { ...record.holder, started: "1" } }));
    assert.equal((await take(table, { takeOver: true })).token, 2);
  });
});
