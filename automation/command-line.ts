import { execa } from "execa";
import { projectDirectory } from "../stacks/project.ts";
import { messageOf } from "./errors.ts";
import type { Observation } from "./gates/gate.ts";

/**
 * Runs a command of the site's operators in the project's folder, without a shell. Its output goes line by line to
 * `onLine`; exit code 0 passes.
 * @param environment added to the driver's own
 */
export async function runCommand(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<Observation> {
  const [file = "", ...args] = command;
  try {
    const child = execa(file, args, {
      cwd: projectDirectory,
      env: environment,
      stdin: "ignore",
      all: true,
      buffer: false,
      reject: false,
      cancelSignal: signal,
      forceKillAfterDelay: 5_000,
    });
    for await (const line of child.iterable({ from: "all" })) onLine(line);
    const { exitCode, failed, originalMessage } = await child;
    if (!failed) return { verdict: "pass", evidence: { exitCode: 0 } };
    return { verdict: "fail", evidence: { exitCode: exitCode ?? null, reason: originalMessage ?? "" } };
  } catch (error) {
    return { verdict: "fail", evidence: { reason: messageOf(error) } };
  }
}
