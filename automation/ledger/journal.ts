import { setTimeout as sleep } from "node:timers/promises";
import {
  type CancellationReason,
  TransactionCanceledException,
  TransactionInProgressException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { canonicalJson } from "./canonical.ts";
import { noHash, seal } from "./chain.ts";
import { type Clock, systemClock } from "./clock.ts";
import { LedgerConflictError, LedgerEmptyError } from "./errors.ts";
import type { LedgerEvent, LedgerRecord } from "./events.ts";
import { fitEvent } from "./fit.ts";
import type { Lease } from "./held-lease.ts";
import { type JournalReader, newestRun, readJournal } from "./reader.ts";
import { summaryUpdate } from "./runs.ts";
import { journalKey, type LedgerTable, leaseKey, request } from "./table.ts";

export { type JournalReader, readJournal } from "./reader.ts";
export type { RunSummary } from "./runs.ts";

export interface Journal extends JournalReader {
  /**
   * Records an event: one request, which also checks that the lease is held. `run-started` opens a run; all other events
   * belong to the newest one. Calls may overlap; they are written in the order of the calls.
   * @throws {LeaseLostError} if the lease is not held any more: stop. @throws {LedgerUnavailableError}
   * @throws {LedgerConflictError} @throws {LedgerEmptyError}
   */
  append(event: LedgerEvent): Promise<LedgerRecord>;
}

export interface JournalOptions extends LedgerTable {
  readonly lease: Lease;
  readonly clock?: Clock;
}

/** Where the next event goes. */
interface Position {
  readonly sequence: number;
  readonly hash: string;
  readonly run?: string;
  readonly runFirst: number;
}

/**
 * Opens the journal for writing, with one read. To read only, use `readJournal`, which needs no lease.
 * @throws {LedgerMissingError} if there is no table yet. @throws {LedgerUnavailableError}
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { lease, clock = systemClock } = options;
  let position = await readPosition(options);
  /** The last write's fate is unknown, so the position is too. */
  let uncertain = false;
  let queue: Promise<unknown> = Promise.resolve();

  async function append(event: LedgerEvent): Promise<LedgerRecord> {
    lease.assertHeld();
    const fitting = fitEvent(event);
    if (uncertain) {
      const before = position;
      position = await readPosition(options);
      uncertain = false;
      const written = position.sequence > before.sequence ? await reader.last() : undefined;
      // The caller tries again what did take effect.
      if (written?.token === lease.token && canonicalJson(written.event) === canonicalJson(fitting)) return written;
    }
    const run = event.type === "run-started" ? event.run : position.run;
    if (run === undefined) throw new LedgerEmptyError();
    const record = seal({
      sequence: position.sequence + 1,
      run,
      time: new Date(clock.wall()).toISOString(),
      token: lease.token,
      previous: position.hash,
      event: fitting,
    });
    const runFirst = event.type === "run-started" ? record.sequence : position.runFirst;
    uncertain = true;
    await write(options, record, runFirst);
    uncertain = false;
    position = { sequence: record.sequence, hash: record.hash, run, runFirst };
    const { body: _body, ...stored } = record;
    return stored;
  }

  const reader = readJournal(options);
  return {
    ...reader,
    append(event) {
      const result = queue.then(() => append(event));
      queue = result.catch(() => undefined);
      return result;
    },
  };
}

async function readPosition(table: LedgerTable): Promise<Position> {
  const newest = await newestRun(table);
  if (newest === undefined) return { sequence: 0, hash: noHash, runFirst: 1 };
  return { sequence: newest.last, hash: newest.hash, run: newest.run, runFirst: newest.first };
}

/** A heartbeat at the same moment cancels a transaction on the lease's record; the SDK does not repeat that. */
const conflictAttempts = 10;

/**
 * The fencing token is enough as a condition: as long as nobody else has acquired the lease, nobody else can write.
 * Whether it ran out without a successor is judged by `assertHeld`, on the clock of this machine: DynamoDB's expressions
 * have no clock of their own to compare with.
 */
async function write(options: JournalOptions, record: ReturnType<typeof seal>, runFirst: number): Promise<void> {
  const { tableName, client, lease } = options;
  const command = new TransactWriteItemsCommand({
    // The client's own retries of a request that took effect are answered as the first one, for ten minutes.
    ClientRequestToken: record.hash.slice(0, 36),
    TransactItems: [
      {
        ConditionCheck: {
          TableName: tableName,
          Key: leaseKey,
          ConditionExpression: "#token = :token AND #free = :held",
          ExpressionAttributeNames: { "#token": "token", "#free": "free" },
          ExpressionAttributeValues: { ":token": { N: String(lease.token) }, ":held": { BOOL: false } },
        },
      },
      {
        Put: {
          TableName: tableName,
          Item: { ...journalKey(record.sequence), body: { S: record.body }, hash: { S: record.hash } },
          ConditionExpression: "attribute_not_exists(pk)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      },
      summaryUpdate(options, record, runFirst),
    ],
  });
  for (let attempt = 1; ; attempt++) {
    try {
      await request(`Recording ${record.event.type}`, options, () => client.send(command));
      return;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const [leaseCheck, put, summary] = cancellation(cause);
      if (leaseCheck?.Code === "ConditionalCheckFailed") {
        throw lease.lose("somebody else has taken it, and DynamoDB refused to record this run's next event");
      }
      if (put?.Code === "ConditionalCheckFailed") {
        // The first try of a repeated request took effect: this very event is there.
        if (put.Item?.hash?.S === record.hash) return;
        throw new LedgerConflictError(record.sequence, { cause });
      }
      const conflict = [leaseCheck, put, summary].some((reason) => reason?.Code === "TransactionConflict");
      if (!(conflict || cause instanceof TransactionInProgressException) || attempt === conflictAttempts) throw error;
      await sleep(Math.random() * Math.min(1000, 20 * 2 ** attempt));
      lease.assertHeld();
    }
  }
}

/** Why each part of a transaction was refused, in the order of its parts. */
function cancellation(cause: unknown): CancellationReason[] {
  return cause instanceof TransactionCanceledException ? (cause.CancellationReasons ?? []) : [];
}
