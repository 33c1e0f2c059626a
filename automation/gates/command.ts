import type { CommandCheck } from "../../stacks/config/checks.ts";
import { runBounded } from "../processes/bounded.ts";
import type { Gate, Observation } from "./gate.ts";

/** Number of characters, from the end of a check's output, that are kept as evidence. */
const keptCharacters = 2_000;

export interface CommandOptions {
  /** Where to look and what for; see docs/evidence.md. */
  readonly environment: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  /** Takes secrets out of what was printed. */
  readonly redact: (text: string) => string;
}

/** The user's own suite ends with exit code 0. It runs once: what it says is the verdict. */
export function commandPasses(check: CommandCheck, { environment, redact }: CommandOptions): Gate {
  const { command, timeoutSeconds } = check;
  return {
    name: `smoke command ${command.join(" ")}`,
    async observe(signal): Promise<Observation> {
      const bounded = { command, environment: await environment(signal), timeoutSeconds };
      const { output, ...end } = await runBounded(bounded, signal);
      return { verdict: end.exitCode === 0 ? "pass" : "fail", evidence: { ...end, output: endOf(output, redact) } };
    },
  };
}

/** The end of a text, without secrets. Redacted first, so that a cut leaves no half of one. */
export function endOf(text: string, redact: (text: string) => string): string {
  return redact(text).slice(-keptCharacters).trimEnd();
}
