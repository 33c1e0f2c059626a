import type { LeaseHolder } from "./owner.ts";

/** An error of the ledger. `code` is stable; the message is for people and may change. */
export abstract class LedgerError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
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
      `The ledger, DynamoDB table ${tableName}, does not exist in this account and region. Nothing was changed. ` +
        "If the site is not deployed yet, `handover upgrade` deploys it and creates the table; " +
        "else check the stack's name and the AWS profile and region with `handover doctor`.",
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
    super(
      `${what} failed at DynamoDB table ${tableName}: ${reason}. Whether the last write took effect is not known, and ` +
        "it does not matter: it is read again at the next start. When DynamoDB answers again, type `handover resume`.",
      options,
    );
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
      `Entry ${entry} of the ledger cannot be read: ${reason}. It was altered, or a newer version of Handover wrote ` +
        "it. The site is as it was. Type `handover history --verify` to check the whole ledger.",
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
      `Event ${sequence} of the ledger was already written by somebody else, although this run holds the lease. ` +
        "The event was not recorded and the site is as it was. Was the table edited or restored? Type " +
        "`handover history --verify`, then `handover resume`.",
      options,
    );
    this.sequence = sequence;
  }
}

/** An event was to be recorded, but no run was ever started. */
export class LedgerEmptyError extends LedgerError {
  readonly code = "ledger-empty";

  constructor() {
    super("The ledger has no run yet, so there is nothing to go on with. Start one with `handover upgrade`.");
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
        `Its last heartbeat was ${ago} s ago; without another its lease expires in ${left} s, at ${expires}. `,
        "Nothing was changed. ",
        takeOverRefused === undefined ? "" : `It was not taken over: ${takeOverRefused} `,
        "Type `handover status` to watch it, or the same command with `--wait 10m` to go on when it has ended; ",
        "`--take-over` if its process died on this machine.",
      ].join(""),
    );
    this.holder = holder;
  }
}

/** This run no longer holds the lease. It must not start another operation. */
export class LeaseLostError extends LedgerError {
  readonly code = "lease-lost";

  constructor(reason: string, options?: ErrorOptions) {
    super(
      `This run lost its lease: ${reason}. It stopped before its next operation; the site stays as the last finished ` +
        "operation left it. Type `handover status` to see who works on it now, then `handover resume`.",
      options,
    );
  }
}
