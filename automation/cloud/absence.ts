import { setTimeout as sleep } from "node:timers/promises";
import { secondsSince } from "../elapsed.ts";

/** What AWS does not show for so long is not there, in seconds; it may not show yet what has just begun to exist. */
export const absentSeconds = 5;

/**
 * Something that is looked for again and again and not found. AWS's reads are eventually consistent: one look that finds
 * nothing proves nothing.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export class Absence {
  #since: number | undefined;

  /** @returns whether it was absent at every look for long enough */
  isProven(isAbsent: boolean, seconds = absentSeconds): boolean {
    if (!isAbsent) {
      this.#since = undefined;
      return false;
    }
    this.#since ??= performance.now();
    return secondsSince(this.#since) >= seconds;
  }
}

/** Looks until something is found. @returns undefined where it was absent at every look for long enough */
export async function foundInTime<T>(
  look: () => Promise<T | undefined>,
  seconds: number,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const absence = new Absence();
  for (;;) {
    const found = await look();
    if (found !== undefined || absence.isProven(true, seconds)) return found;
    await sleep(500, undefined, { signal });
  }
}

/**
 * Looks for what is wrong until nothing is, or until the same has been wrong at every look for long enough.
 * @param idOf tells whether it is the same
 */
export async function lasting<T>(
  look: () => Promise<readonly T[]>,
  idOf: (wrong: T) => string,
  seconds: number,
  signal?: AbortSignal,
): Promise<readonly T[]> {
  const started = performance.now();
  for (let wrong = await look(); ; ) {
    if (wrong.length === 0 || secondsSince(started) >= seconds) return wrong;
    await sleep(500, undefined, { signal });
    const before = new Set(wrong.map(idOf));
    wrong = (await look()).filter((each) => before.has(idOf(each)));
  }
}
