import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./errors.ts";

export interface WaitOptions {
  /** Names the awaited state in the error. */
  readonly what: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** Pauses between polls: 50 ms at first, growing to a second. */
export function* pauses(): Generator<number, never> {
  for (let pause = 50; ; pause = Math.min(pause * 1.4, 1000)) yield pause;
}

/**
 * Polls until the answer is defined.
 * @throws when the time is over or the signal fires
 */
export async function waitFor<T>(poll: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (const pause of pauses()) {
    const answer = await poll();
    if (answer !== undefined) return answer;
    if (Date.now() + pause > deadline) {
      throw new Error(`Waited ${options.timeoutSeconds} s in vain for ${options.what}.`);
    }
    await sleep(pause, undefined, { signal: options.signal });
  }
  throw new Error("unreachable");
}

/**
 * Repeats a call as long as AWS answers with one of the codes; what uses a resource may be on its way out.
 * @throws AWS's last error when the time is over
 */
export async function insist<T>(
  codes: readonly string[],
  call: () => Promise<T>,
  { timeoutSeconds, signal }: Omit<WaitOptions, "what">,
): Promise<T> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (const pause of pauses()) {
    try {
      return await call();
    } catch (error) {
      if (!codes.includes(codeOf(error) ?? "") || Date.now() + pause > deadline) throw error;
    }
    await sleep(pause, undefined, { signal });
  }
  throw new Error("unreachable");
}
