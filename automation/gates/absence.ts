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
