import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConditionalCheckFailedException, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { machineIdentity, processStart } from "../processes/identity.ts";
import { type Clock, systemClock } from "./clock.ts";
import { LeaseHeldError } from "./errors.ts";
import { HeldLease, type Lease } from "./held-lease.ts";
import {
  iso,
  type LeaseRecord,
  LeaseWatch,
  publicHolder,
  readRecord,
  recordItem,
  takeOverRefusal,
} from "./lease-record.ts";
import type { LeaseHolder, LeaseOwner } from "./owner.ts";
import { type LedgerTable, request } from "./table.ts";

export type { Lease } from "./held-lease.ts";
export { currentOwner, type LeaseHolder, type LeaseOwner } from "./owner.ts";

export interface AcquireOptions extends LedgerTable {
  readonly owner: LeaseOwner;
  /** The command line, as a person would type it, without secrets. */
  readonly command: string;
  /** Seconds that the lease lasts without a heartbeat; there is one every third of it. Default: 60. */
  readonly seconds?: number;
  /** Seconds to wait for a lease that somebody else has. Default: 0, fail at once. */
  readonly waitSeconds?: number;
  /** Take the lease of a process that has died on this machine without waiting for its expiry. Default: false. */
  readonly takeOver?: boolean;
  /** Ends the waiting; the lease, once acquired, does not depend on it. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Takes the stack's lease, with conditional writes only: of any number of competitors exactly one gets it.
 * @throws {LeaseHeldError} if somebody else has it, still after `waitSeconds`.
 * @throws {LedgerMissingError} if there is no table yet. @throws {LedgerUnavailableError} if DynamoDB fails.
 * @throws the signal's reason.
 */
export async function acquireLease(options: AcquireOptions): Promise<Lease> {
  const { waitSeconds = 0, takeOver = false, signal, clock = systemClock } = options;
  const watch = new LeaseWatch(clock);
  const deadline = performance.now() + waitSeconds * 1000;
  const nonce = randomUUID();
  for (let attempt = 0; ; attempt++) {
    const { record, clock: corrected } = await read(options, clock, signal);
    const left = record === undefined ? 0 : watch.millisecondsLeft(record, corrected.wall());
    const refusal = record !== undefined && left > 0 && takeOver ? takeOverRefusal(record) : undefined;
    if (record === undefined || left === 0 || (takeOver && refusal === undefined)) {
      const lease = await claim(options, record, nonce, corrected);
      if (lease) return lease;
      continue; // Somebody was faster: look again.
    }
    const waitLeft = deadline - performance.now();
    if (waitLeft <= 0) throw new LeaseHeldError(publicHolder(record), corrected.wall(), refusal);
    // From half a second up to five, not in step with others, and not past the moment when it may be free.
    const backoff = Math.min(5000, 500 * 1.5 ** attempt) * (0.75 + Math.random() / 2);
    await pause(Math.min(backoff, left, waitLeft), signal);
  }
}

export type LeaseStatus =
  /** Nobody ever had it, or the last holder gave it back. */
  | { readonly state: "free"; readonly token: number }
  /** `expired`: its holder is overdue; the next command may take it. */
  | { readonly state: "held" | "expired"; readonly token: number; readonly holder: LeaseHolder };

/** Who has the lease now. It takes nothing. @throws {LedgerMissingError} if there is no table yet. */
export async function readLease(table: LedgerTable): Promise<LeaseStatus> {
  const { record, clock } = await readRecord(table);
  if (record === undefined || record.free) return { state: "free", token: record?.token ?? 0 };
  const state = record.expires > clock.wall() ? "held" : "expired";
  return { state, token: record.token, holder: publicHolder(record) };
}

/** Writes the lease if it is still what was read. @returns `undefined` if it is not. */
async function claim(
  options: AcquireOptions,
  seen: LeaseRecord | undefined,
  nonce: string,
  clock: Clock,
): Promise<Lease | undefined> {
  const { seconds = 60, owner } = options;
  const sent = { wall: clock.wall(), monotonic: clock.monotonic() };
  const started = processStart(owner.pid);
  const record: LeaseRecord = {
    token: (seen?.token ?? 0) + 1,
    beat: 1,
    free: false,
    nonce,
    seconds,
    heartbeat: sent.wall,
    expires: sent.wall + seconds * 1000,
    holder: {
      ...owner,
      command: options.command,
      since: iso(sent.wall),
      heartbeat: iso(sent.wall),
      expires: iso(sent.wall + seconds * 1000),
      machine: machineIdentity(),
      ...(started === undefined ? {} : { started }),
    },
  };
  const held = () => new HeldLease(options, record, sent, clock);
  try {
    await request("Taking the lease", options, () => put(options, record, seen));
    return held();
  } catch (error) {
    // The client may have repeated a request whose first try took effect before its connection broke.
    const current = await readRecord(options).catch(() => undefined);
    if (current?.record?.nonce === nonce && current.record.token === record.token) return held();
    if (error instanceof Error && error.cause instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

async function put({ client, tableName }: LedgerTable, record: LeaseRecord, seen: LeaseRecord | undefined) {
  const condition =
    seen === undefined
      ? { ConditionExpression: "attribute_not_exists(pk)" }
      : {
          ConditionExpression: "#token = :token AND #beat = :beat AND #free = :free",
          ExpressionAttributeNames: { "#token": "token", "#beat": "beat", "#free": "free" },
          ExpressionAttributeValues: {
            ":token": { N: String(seen.token) },
            ":beat": { N: String(seen.beat) },
            ":free": { BOOL: seen.free },
          },
        };
  await client.send(new PutItemCommand({ TableName: tableName, Item: recordItem(record), ...condition }));
}

async function read(table: LedgerTable, clock: Clock, signal: AbortSignal | undefined) {
  signal?.throwIfAborted();
  try {
    return await readRecord(table, { clock, ...(signal ? { signal } : {}) });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(Math.max(1, milliseconds), undefined, { ...(signal ? { signal } : {}) });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
