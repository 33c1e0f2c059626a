import { createInterface } from "node:readline/promises";

/** Whether somebody is there to be asked: at a terminal, and no machine's. */
export function isAttended(environment: NodeJS.ProcessEnv = process.env): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !environment.CI;
}

/**
 * Asks a person, on standard error. Anything but yes is no, and so is the end of the input.
 * @throws AbortError when the signal comes first
 */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  // Without a terminal's editing, so that Ctrl-C is a signal to this process, as in everything else that it does.
  const asked = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const closed = new Promise<string>((resolve) => asked.once("close", () => resolve("")));
    const answer = await Promise.race([asked.question(`${question} [y/N] `, { signal }), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asked.close();
  }
}
