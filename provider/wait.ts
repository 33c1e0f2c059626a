import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./errors.ts";

export interface WaitOptions {
  /** Names the awaited state in the error. */
  readonly what: string;
  /** What the error says. Default: for what it waited in vain. */
  readonly failure?: string;
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
      throw new Error(options.failure ?? `Waited ${options.timeoutSeconds} s in vain for ${options.what}.`);
    }
    await sleep(pause, undefined, { signal: options.signal });
  }
  throw new Error("unreachable");
}

/**
 * Polls until what was just created is there, and names it in the error as the official plugin does.
 * @throws when the time is over or the signal fires
 */
export async function waitUntilThere(find: () => Promise<unknown>, options: WaitOptions): Promise<void> {
  const isThere = async () => ((await find()) === undefined ? undefined : true);
  const { what } = options;
  await waitFor(isThere, { ...options, failure: `waiting for ${what} create: couldn't find resource` });
}

/**
 * Repeats a call as long as AWS answers with one of the codes; what uses a resource may be on its way out.
 * @throws AWS's last error when the time is over
 */
export async function insist<T>(
  codes: readonly string[],
  call: () => Promise<T>,
  { timeoutSeconds, signal }: Pick<WaitOptions, "timeoutSeconds" | "signal">,
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
