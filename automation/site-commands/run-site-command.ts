import type { Readable } from "node:stream";
import { messageOf } from "../errors.ts";
import type { Observation } from "../gates/gate.ts";
import { startGroup } from "../processes/group.ts";

/** Longer lines are cut. */
const longestLine = 4000;
/** Time that a stopped command has to end by itself. */
const graceMilliseconds = 5000;

export interface CommandObservation extends Observation {
  readonly evidence: { readonly exitCode: number | null; readonly reason?: string };
  /** Undefined when it did not end by itself; 127, as in a shell, when it could not be started. */
  readonly exitCode: number | undefined;
}

/**
 * Runs a command of the site's operators in the project's folder, without a shell. Its output goes line by line to
 * `onLine`; exit code 0 passes.
 * @param environment added to the driver's own
 * @param timeoutSeconds when it is ended, as by the signal. Default: never
 */
export async function runCommand(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
  signal: AbortSignal,
  timeoutSeconds?: number,
): Promise<CommandObservation> {
  const limit = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
  const stop = AbortSignal.any(limit === undefined ? [signal] : [signal, limit]);
  const failed = (exitCode: number | undefined, reason: string): CommandObservation => ({
    verdict: "fail",
    exitCode,
    evidence: { exitCode: exitCode ?? null, reason },
  });
  const whyEnded = () => (signal.aborted ? "cancelled" : `ended at its time limit of ${timeoutSeconds} s`);
  try {
    stop.throwIfAborted();
    const child = startGroup(command, { environment, signal: stop, graceMilliseconds });
    for await (const line of lines(child.all)) onLine(line);
    const { exitCode, failed: hasFailed, originalMessage = "" } = await child;
    if (child.pid === undefined) return failed(127, originalMessage);
    if (!hasFailed) return { verdict: "pass", exitCode, evidence: { exitCode: 0 } };
    return stop.aborted ? failed(undefined, whyEnded()) : failed(exitCode, originalMessage);
  } catch (error) {
    return failed(undefined, stop.aborted ? whyEnded() : messageOf(error));
  }
}

async function* lines(output: Readable): AsyncGenerator<string> {
  let rest = "";
  let isCut = false;
  output.setEncoding("utf8");
  for await (const chunk of output as AsyncIterable<string>) {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      if (!isCut) yield part.slice(0, longestLine);
      isCut = false;
    }
    if (rest.length <= longestLine) continue;
    if (!isCut) yield rest.slice(0, longestLine);
    isCut = true;
    rest = "";
  }
  if (rest !== "" && !isCut) yield rest;
}
