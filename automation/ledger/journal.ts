import { canonicalJson } from "./canonical.ts";
import { noHash, type Sealed, seal } from "./chain.ts";
import { type Clock, systemClock } from "./clock.ts";
import { LedgerEmptyError } from "./errors.ts";
import type { LedgerEvent, LedgerRecord } from "./events.ts";
import { fitEvent } from "./fit.ts";
import type { Lease } from "./held-lease.ts";
import { type JournalReader, newestRun, readJournal } from "./reader.ts";
import type { LedgerTable } from "./table.ts";
import { write } from "./transaction.ts";

export { type JournalReader, readJournal } from "./reader.ts";
export type { RunSummary } from "./runs.ts";

export interface Journal extends JournalReader {
  /**
   * Records an event, in a request that also checks that the lease is held. `run-started` opens a run; all other events
   * belong to the newest one. Calls may overlap: events are written in the order of the calls, and those that wait for
   * an earlier request go into one together. What waits behind a request that failed is not written.
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

/** An event that waits to be written. */
interface Waiting {
  readonly event: LedgerEvent;
  readonly time: string;
  readonly resolve: (record: LedgerRecord) => void;
  readonly reject: (error: unknown) => void;
}

/** So many of the largest events are less than the 4 MB that a transaction may have. */
const mostAtOnce = 10;

/**
 * Opens the journal for writing, with one read. To read only, use `readJournal`, which needs no lease.
 * @throws {LedgerMissingError} if there is no table yet. @throws {LedgerUnavailableError}
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { lease, clock = systemClock } = options;
  const reader = readJournal(options);
  let position = await readPosition(options);
  /** Whether the last write's fate is unknown, so that the position is too. */
  let uncertain = false;
  const waiting: Waiting[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize(waiting));
      try {
        const records = await record(batch);
        for (const [index, { resolve }] of batch.entries()) resolve(records[index] as LedgerRecord);
      } catch (error) {
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error);
      }
    }
    isWriting = false;
  }

  async function record(batch: readonly Waiting[]): Promise<readonly LedgerRecord[]> {
    lease.assertHeld();
    if (uncertain) {
      const before = position;
      position = await readPosition(options);
      uncertain = false;
      const written = position.sequence > before.sequence ? await reader.last() : undefined;
      const [first, ...rest] = batch;
      // The caller tries again what did take effect.
      if (written?.token === lease.token && canonicalJson(written.event) === canonicalJson(first?.event)) {
        return [written, ...(rest.length > 0 ? await record(rest) : [])];
      }
    }
    const { records, after } = sealed(batch);
    uncertain = true;
    await write(options, records, after.runFirst);
    uncertain = false;
    position = after;
    return records.map(({ body: _body, ...stored }) => stored);
  }

  /** The events' records, one after the other, and where the next one goes. */
  function sealed(batch: readonly Waiting[]): { records: Sealed[]; after: Position } {
    let after = position;
    const records = batch.map(({ event, time }) => {
      const run = event.type === "run-started" ? event.run : after.run;
      if (run === undefined) throw new LedgerEmptyError();
      const { token } = lease;
      const next = seal({ sequence: after.sequence + 1, run, time, token, previous: after.hash, event });
      const runFirst = event.type === "run-started" ? next.sequence : after.runFirst;
      after = { sequence: next.sequence, hash: next.hash, run, runFirst };
      return next;
    });
    return { records, after };
  }

  return {
    ...reader,
    append(event) {
      return new Promise((resolve, reject) => {
        waiting.push({ event: fitEvent(event), time: new Date(clock.wall()).toISOString(), resolve, reject });
        void writeAll();
      });
    },
  };
}

/** A run's beginning is the first of its request, which has one run's summary. */
function batchSize(waiting: readonly Waiting[]): number {
  const begins = waiting.findIndex(({ event }, index) => index > 0 && event.type === "run-started");
  return Math.min(mostAtOnce, begins === -1 ? waiting.length : begins);
}

async function readPosition(table: LedgerTable): Promise<Position> {
  const newest = await newestRun(table);
  if (newest === undefined) return { sequence: 0, hash: noHash, runFirst: 1 };
  return { sequence: newest.last, hash: newest.hash, run: newest.run, runFirst: newest.first };
}
