import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `condition` gives a value other than undefined or false. */
export async function eventually<T>(
  condition: () => Promise<T | undefined | false>,
  what = "the condition",
  seconds = 10,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not come true within ${seconds} s`);
    await sleep(20);
  }
}
