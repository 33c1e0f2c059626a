import { messageOf } from "../errors.ts";
import { startGroup } from "./group.ts";

export interface BoundedCommand {
  /** Program and arguments; run without a shell, in the project's folder. */
  readonly command: readonly string[];
  /** Added to the driver's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Then the command and all that it started is ended. */
  readonly timeoutSeconds: number;
}

export interface Ended {
  /** Null when it did not end by itself, or did not start. */
  readonly exitCode: number | null;
  /** Why it has no exit code. */
  readonly reason?: string;
  /** The last 16 KB of what it printed. */
  readonly output: string;
}

const keptCharacters = 16 * 1024;
/** Time that a process has to end once it was asked to. */
const graceMilliseconds = 500;

/** Runs a command that may print without end, start others, and never end by itself. */
export async function runBounded(
  { command, environment, timeoutSeconds }: BoundedCommand,
  signal: AbortSignal,
): Promise<Ended> {
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  const stop = AbortSignal.any([signal, limit]);
  const tail = new Tail();
  try {
    stop.throwIfAborted();
    const child = startGroup(command, { environment, signal: stop, graceMilliseconds });
    for await (const chunk of child.all) tail.add(chunk);
    const { exitCode, originalMessage } = await child;
    stop.throwIfAborted();
    return {
      exitCode: exitCode ?? null,
      output: tail.text,
      ...(exitCode === undefined && { reason: originalMessage }),
    };
  } catch (error) {
    signal.throwIfAborted();
    const reason = limit.aborted ? `did not end within ${timeoutSeconds} s` : messageOf(error);
    return { exitCode: null, reason, output: tail.text };
  }
}

class Tail {
  readonly #decoder = new TextDecoder();
  text = "";

  add(chunk: Uint8Array): void {
    this.text = (this.text + this.#decoder.decode(chunk, { stream: true })).slice(-keptCharacters);
  }
}
