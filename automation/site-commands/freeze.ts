import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";

/** Keeps a database quiet while its snapshot begins. */
export interface Freezing {
  freeze(): Promise<void>;
  /** Must not be kept from running by anything, and does no harm where nothing is frozen. */
  thaw(): Promise<void>;
  /** Whether the snapshot exists: from then on what is written is not part of it, however long it takes to complete. */
  isTaken(): Promise<boolean>;
}

/** The database may still be frozen. */
export class ThawError extends HandoverError {
  constructor(problem: string, options?: ErrorOptions) {
    super(
      "thaw-failed",
      exitCodes.needsPerson,
      {
        happened: `The database may still be frozen: its thaw command failed. ${problem}`,
        state: "Nothing was launched",
        first: "Thaw it by hand",
      },
      options,
    );
  }
}

/**
 * Takes a snapshot of a frozen database. It is thawed as soon as the snapshot exists, and also when freezing or the
 * snapshot fails.
 * @throws ThawError; else what freezing or the work throws
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html: the point in time is that of the call
 */
export async function whileFrozen<T>({ freeze, thaw, isTaken }: Freezing, work: () => Promise<T>): Promise<T> {
  let thawing: Promise<void> | undefined;
  const thawOnce = () => {
    thawing ??= thaw();
    return thawing;
  };
  const over = new AbortController();
  const attempt = async () => {
    await freeze();
    // How it went is seen below.
    void untilTaken(isTaken, over.signal)
      .then(thawOnce, () => undefined)
      .catch(() => undefined);
    return work();
  };
  const result = await attempt().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  over.abort();
  try {
    await thawOnce();
  } catch (error) {
    const before = "error" in result ? `; before that: ${messageOf(result.error)}` : "";
    throw new ThawError(`${messageOf(error)}${before}`, { cause: error });
  }
  if ("error" in result) throw result.error;
  return result.value;
}

/** Rejects when the work is over before. */
async function untilTaken(isTaken: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  // A look that fails says nothing; the end of the work does.
  while (!(await isTaken().catch(() => false))) await sleep(500, undefined, { signal });
  signal.throwIfAborted();
}
