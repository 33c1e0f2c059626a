import { errors, remedyOf } from "../documents/situations.ts";
import { type Explanation, say } from "../errors.ts";
import type { LeaseHolder } from "./owner.ts";

/** An error of the ledger. `code` is stable; the message is for people and may change. */
export abstract class LedgerError extends Error {
  abstract readonly code: Extract<keyof typeof errors, `ledger-${string}` | `lease-${string}`>;
  readonly #happened: string;

  constructor(happened: string, options?: ErrorOptions) {
    super(happened, options);
    this.#happened = happened;
    this.name = new.target.name;
  }

  /** The whole message: the ledger does not know the stack that a person types. */
  explain(stack: string): string {
    const { state } = errors[this.code];
    const explanation: Explanation = { happened: this.#happened, state, ...remedyOf(errors[this.code], stack) };
    return say(explanation);
  }
}

/**
 * The table is not there: the site was never deployed, or the region or account is another one. Not a failure before
 * the first deployment, which creates it.
 */
export class LedgerMissingError extends LedgerError {
  readonly code = "ledger-missing";

  readonly tableName: string;

  constructor(tableName: string, options?: ErrorOptions) {
    super(
      `The ledger, DynamoDB table ${tableName}, does not exist in this account and region: the site is not deployed yet, or the stack's name, the AWS profile or the region is another`,
      options,
    );
    this.tableName = tableName;
  }
}

/** DynamoDB could not be reached or refused the request, after the client's own retries. */
export class LedgerUnavailableError extends LedgerError {
  readonly code = "ledger-unavailable";

  constructor(what: string, tableName: string, options: { readonly cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`${what} failed at DynamoDB table ${tableName}: ${reason}`, options);
  }
}

/** An entry in the table cannot be read as an event of this version. */
export class LedgerUnreadableError extends LedgerError {
  readonly code = "ledger-unreadable";

  /** The entry's sort key: the sequence number, padded with zeros. */
  readonly entry: string;

  constructor(entry: string, options: { readonly cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(
      `Entry ${entry} of the ledger cannot be read: ${reason}. It was altered, or a newer version of Handover wrote it`,
      options,
    );
    this.entry = entry;
  }
}

/** Another event is already stored under the next sequence number, although the lease is held. */
export class LedgerConflictError extends LedgerError {
  readonly code = "ledger-conflict";

  readonly sequence: number;

  constructor(sequence: number, options?: ErrorOptions) {
    super(
      `Event ${sequence} of the ledger was already written by somebody else, although this run holds the lease. Was the table edited or restored?`,
      options,
    );
    this.sequence = sequence;
  }
}

/** An event was to be recorded, but no run was ever started. */
export class LedgerEmptyError extends LedgerError {
  readonly code = "ledger-empty";

  constructor() {
    super("The ledger has no run yet, so there is nothing to go on with");
  }
}

/** Another run holds the lease. Exit code 5. */
export class LeaseHeldError extends LedgerError {
  readonly code = "lease-held";

  readonly holder: LeaseHolder;

  /**
   * @param now Milliseconds since 1970.
   * @param takeOverRefused Why `takeOver` did not help, if it was asked for.
   */
  constructor(holder: LeaseHolder, now: number, takeOverRefused?: string) {
    const { who, host, pid, job, command, since, heartbeat, expires } = holder;
    const ago = Math.max(0, Math.round((now - Date.parse(heartbeat)) / 1000));
    const left = Math.max(0, Math.ceil((Date.parse(expires) - now) / 1000));
    super(
      [
        `Another run is under way: \`${command}\` by ${who} on ${host} (${job ?? `process ${pid}`}) since ${since}. `,
        `Its last heartbeat was ${ago} s ago; without another its lease expires in ${left} s, at ${expires}`,
        takeOverRefused === undefined ? "" : `. It was not taken over: ${takeOverRefused}`,
      ].join(""),
    );
    this.holder = holder;
  }
}

/** This run no longer holds the lease. It must not start another operation. */
export class LeaseLostError extends LedgerError {
  readonly code = "lease-lost";

  constructor(reason: string, options?: ErrorOptions) {
    super(`This run lost its lease: ${reason}`, options);
  }
}
