import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { z } from "zod";
import { machineIdentity, processStart } from "../processes/identity.ts";
import { type Clock, correctedClock, systemClock } from "./clock.ts";
import { LedgerUnreadableError } from "./errors.ts";
import type { LeaseHolder } from "./owner.ts";
import { type Item, type LedgerTable, leaseKey, number, request, text } from "./table.ts";

const holderText = z.object({
  who: z.string(),
  host: z.string(),
  pid: z.int(),
  job: z.string().optional(),
  command: z.string(),
  /** ISO 8601. */
  since: z.string(),
  /** See `machineIdentity` and `processStart`. */
  machine: z.string(),
  started: z.string().optional(),
});

/** The lease as it is stored. */
export interface LeaseRecord {
  /** The fencing token: grows by one with each acquisition. */
  readonly token: number;
  /** Grows by one with each write of this acquisition. */
  readonly beat: number;
  readonly free: boolean;
  /** A random name of this acquisition. */
  readonly nonce: string;
  readonly seconds: number;
  /** Milliseconds since 1970, by the holder's clock. */
  readonly heartbeat: number;
  readonly expires: number;
  readonly holder: LeaseHolder & { readonly machine: string; readonly started?: string };
}

/**
 * Reads the lease; `record` is `undefined` if nobody ever had it, and `clock` is the given one, corrected by the time
 * that DynamoDB told.
 */
export async function readRecord(
  table: LedgerTable,
  { clock = systemClock, signal }: { readonly clock?: Clock; readonly signal?: AbortSignal } = {},
): Promise<{ readonly record: LeaseRecord | undefined; readonly clock: Clock }> {
  const command = new GetItemCommand({ TableName: table.tableName, Key: leaseKey, ConsistentRead: true });
  let date: string | undefined;
  let sent = clock.monotonic();
  command.middlewareStack.add(
    (next) => async (args) => {
      sent = clock.monotonic();
      const result = await next(args);
      date = responseWithDate.safeParse(result.response).data?.headers.date;
      return result;
    },
    { step: "deserialize", name: "readServiceTime" },
  );
  const { Item: item } = await request("Reading the lease", table, () =>
    table.client.send(command, { ...(signal ? { abortSignal: signal } : {}) }),
  );
  return {
    record: item === undefined ? undefined : parseRecord(item),
    clock: correctedClock(clock, date, sent),
  };
}

const responseWithDate = z.object({ headers: z.object({ date: z.string() }) });

export function parseRecord(item: Item): LeaseRecord {
  try {
    const [heartbeat, expires] = [number(item, "heartbeat"), number(item, "expires")];
    const holder = holderText.parse(JSON.parse(text(item, "holder")));
    return {
      token: number(item, "token"),
      beat: number(item, "beat"),
      free: item.free?.BOOL === true,
      nonce: text(item, "nonce"),
      seconds: number(item, "seconds"),
      heartbeat,
      expires,
      holder: { ...holder, heartbeat: iso(heartbeat), expires: iso(expires) },
    };
  } catch (cause) {
    throw new LedgerUnreadableError("lease", { cause });
  }
}

export function recordItem(record: LeaseRecord): Item {
  const { heartbeat: _heartbeat, expires: _expires, ...holder } = record.holder;
  return {
    ...leaseKey,
    token: { N: String(record.token) },
    beat: { N: String(record.beat) },
    free: { BOOL: record.free },
    nonce: { S: record.nonce },
    seconds: { N: String(record.seconds) },
    heartbeat: { N: String(record.heartbeat) },
    expires: { N: String(record.expires) },
    holder: { S: JSON.stringify(holder) },
  };
}

/** The holder without what only the lease itself needs. */
export function publicHolder({ holder }: LeaseRecord): LeaseHolder {
  const { machine: _machine, started: _started, ...rest } = holder;
  return rest;
}

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * The share of a lease's time that its holder does without: it stops believing in its lease this much earlier than
 * anybody else may take it. So much may the clocks of two machines differ (10 s of 60), and so long a request may take.
 */
export const marginShare = 1 / 6;

/**
 * Judges whether somebody else's lease is over. Two rules, each sound by itself:
 *
 * 1. **Watched**: this process has seen the record unchanged for the lease's full time by its own monotonic clock. The
 *    holder counts from before it sent its last heartbeat, so it has counted at least as long, and stopped earlier. This
 *    needs no agreement between clocks, only that they run at about the same speed.
 * 2. **By the wall clock**: the expiry that the holder wrote has passed. Here two machines' clocks are compared. Each is
 *    put right by the time that DynamoDB tells (`correctedClock`), which leaves a few seconds at most, and the margin that
 *    the holder gives up (`marginShare`, 10 s of 60) is more than that.
 *
 * Rule 2 lets a `resume` that comes later start at once, rule 1 lets one that waits start no later than the lease's time
 * even if the dead holder's clock was ahead. Whatever happens, the fencing token keeps the loser from writing.
 */
export class LeaseWatch {
  readonly #clock: Clock;
  #seen: { readonly token: number; readonly beat: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Milliseconds until the lease may be taken if its record does not change; 0 means now. Call it right after a read.
   * @param wall The corrected wall time.
   */
  millisecondsLeft(record: LeaseRecord, wall: number): number {
    if (record.free) return 0;
    const now = this.#clock.monotonic();
    if (this.#seen?.token !== record.token || this.#seen.beat !== record.beat) {
      this.#seen = { token: record.token, beat: record.beat, at: now };
    }
    const byWatching = this.#seen.at + record.seconds * 1000 - now;
    const byWall = record.expires - wall;
    return Math.max(0, Math.min(byWatching, byWall));
  }
}

/** Why the holder's lease cannot be taken over before it expires; `undefined` if its process has ended on this machine. */
export function takeOverRefusal({ holder }: LeaseRecord): string | undefined {
  if (holder.machine !== machineIdentity()) {
    return `it runs on another machine or in another container (${holder.host}), where its process cannot be looked for.`;
  }
  if (holder.started === undefined) return `the start of process ${holder.pid} was not recorded.`;
  return processStart(holder.pid) === holder.started ? `process ${holder.pid} is still running here.` : undefined;
}
