import { ConditionalCheckFailedException, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Clock } from "./clock.ts";
import { LeaseLostError } from "./errors.ts";
import { iso, type LeaseRecord, marginShare, parseRecord, publicHolder } from "./lease-record.ts";
import type { LeaseHolder } from "./owner.ts";
import { type LedgerTable, leaseKey } from "./table.ts";

/** The right to work on a stack. Get one with `acquireLease`. */
export interface Lease {
  /** The fencing token: each acquisition's is greater by one than the one before. Every ledger write carries it. */
  readonly token: number;
  readonly owner: LeaseHolder;
  /** Aborts, with a `LeaseLostError` as its reason, when the lease is lost; not when it is released. */
  readonly lost: AbortSignal;
  /**
   * Call it before every operation. It reads the clocks itself, so it is right even when the process was stopped
   * and no timer has fired yet.
   * @throws {LeaseLostError} if the lease was lost, ran out by this process's clocks, or was released.
   */
  assertHeld(): void;
  /** Gives the lease back, so that the next run starts at once. It never throws: what fails here expires by itself. */
  release(): Promise<void>;
  /** For whoever learns otherwise that the lease is somebody else's: the journal, when its write is refused. */
  lose(reason: string): LeaseLostError;
}

export class HeldLease implements Lease {
  readonly token: number;
  readonly owner: LeaseHolder;
  readonly #table: LedgerTable;
  readonly #clock: Clock;
  readonly #seconds: number;
  readonly #lost = new AbortController();
  readonly #requests = new AbortController();
  #error: LeaseLostError | undefined;
  #released = false;
  /** Why the last heartbeat did not take effect. */
  #failure: unknown;
  /** Both clocks, right before the last heartbeat that took effect was sent. */
  #renewed: { readonly wall: number; readonly monotonic: number };
  #heartbeat: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  /** @param sent Both clocks, right before the request was sent that acquired the lease. */
  constructor(table: LedgerTable, record: LeaseRecord, sent: { wall: number; monotonic: number }, clock: Clock) {
    this.token = record.token;
    this.owner = publicHolder(record);
    this.#table = table;
    this.#clock = clock;
    this.#seconds = record.seconds;
    this.#renewed = sent;
    this.#schedule(record.seconds / 3);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  assertHeld(): void {
    if (this.#error) throw this.#error;
    if (this.#released) throw new LeaseLostError("it was released");
    const sinceRenewed = Math.max(
      this.#clock.monotonic() - this.#renewed.monotonic,
      // The wall clock too: the monotonic one stands still while a machine sleeps.
      this.#clock.wall() - this.#renewed.wall,
    );
    if (sinceRenewed < this.#believedMilliseconds) return;
    const seconds = Math.round(sinceRenewed / 1000);
    throw this.lose(
      `its last heartbeat, ${seconds} s ago, is too old (this process was stopped, or DynamoDB was out of reach)`,
      this.#failure,
    );
  }

  lose(reason: string, cause?: unknown): LeaseLostError {
    this.#error ??= new LeaseLostError(reason, { cause });
    this.#stopTimers();
    if (!this.#released) this.#lost.abort(this.#error);
    return this.#error;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#stopTimers();
    if (this.#error) return;
    try {
      await this.#update("SET #free = :free ADD #beat :one", { ":free": { BOOL: true } }, AbortSignal.timeout(5000));
    } catch {
      // Somebody else has it, or DynamoDB is out of reach and it expires by itself.
    }
  }

  get #believedMilliseconds(): number {
    return this.#seconds * 1000 * (1 - marginShare);
  }

  #schedule(inSeconds: number): void {
    if (this.#released || this.#error) return;
    clearTimeout(this.#heartbeat);
    this.#heartbeat = setTimeout(() => void this.#beat(), inSeconds * 1000).unref();
    clearTimeout(this.#expiry);
    const left = this.#renewed.monotonic + this.#believedMilliseconds - this.#clock.monotonic();
    this.#expiry = setTimeout(() => this.#check(), Math.max(0, left) + 1).unref();
  }

  /** Extends the lease. It never throws: errors are retried until the lease has run out. */
  async #beat(): Promise<void> {
    if (!this.#check()) return;
    const sent = { wall: this.#clock.wall(), monotonic: this.#clock.monotonic() };
    const values = {
      ":heartbeat": { N: String(sent.wall) },
      ":expires": { N: String(sent.wall + this.#seconds * 1000) },
    };
    // A connection that hangs must not use up the lease's time.
    const milliseconds = Math.round(this.#seconds * 1000 * marginShare);
    const timeout = AbortSignal.any([AbortSignal.timeout(milliseconds), this.#requests.signal]);
    try {
      await this.#update("SET #heartbeat = :heartbeat, #expires = :expires ADD #beat :one", values, timeout);
      this.#renewed = sent;
      this.#failure = undefined;
      // The process may have been stopped while the request was under way.
      if (this.#check()) this.#schedule(this.#seconds / 3);
    } catch (error) {
      if (this.#released) return;
      if (error instanceof ConditionalCheckFailedException) this.lose(takenBy(error));
      else {
        this.#failure = error;
        this.#schedule(this.#seconds / 15);
      }
    }
  }

  async #update(update: string, values: Record<string, { N: string } | { BOOL: boolean }>, signal: AbortSignal) {
    const names = [...new Set(update.match(/#\w+/g)), "#token", "#free"];
    const command = new UpdateItemCommand({
      TableName: this.#table.tableName,
      Key: leaseKey,
      UpdateExpression: update,
      // A free lease is not extended: the heartbeat that a release overtook does nothing.
      ConditionExpression: "#token = :token AND #free = :held",
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, name.slice(1)])),
      ExpressionAttributeValues: {
        ...values,
        ":one": { N: "1" },
        ":token": { N: String(this.token) },
        ":held": { BOOL: false },
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    await this.#table.client.send(command, { abortSignal: signal });
  }

  #check(): boolean {
    try {
      this.assertHeld();
      return true;
    } catch {
      return false;
    }
  }

  #stopTimers(): void {
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#expiry);
    this.#requests.abort();
  }
}

function takenBy({ Item: item }: ConditionalCheckFailedException): string {
  if (item === undefined) return "its record is gone";
  try {
    const { heartbeat, holder } = parseRecord(item);
    return `${holder.who} on ${holder.host} has it, since ${iso(heartbeat)} or earlier, for \`${holder.command}\``;
  } catch {
    return "its record was overwritten with something that cannot be read";
  }
}
