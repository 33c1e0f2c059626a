import { execa } from "execa";
import { projectDirectory } from "../stacks/project.ts";
import { messageOf } from "./errors.ts";

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
/** How long a process may take to end once it was asked to. */
const graceMilliseconds = 500;

/** Runs a command that may print without end, start others, and never end by itself. */
export async function runBounded(
  { command, environment, timeoutSeconds }: BoundedCommand,
  signal: AbortSignal,
): Promise<Ended> {
  const [file = "", ...args] = command;
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  const stop = AbortSignal.any([signal, limit]);
  const tail = new Tail();
  try {
    stop.throwIfAborted();
    // In a process group of its own, so that what it started ends with it.
    const options = { stdin: "ignore", all: true, buffer: false, reject: false, detached: true } as const;
    const child = execa(file, args, { ...options, cwd: projectDirectory, env: environment });
    const end = () => endGroup(child.pid);
    stop.addEventListener("abort", end, { once: true });
    for await (const chunk of child.iterable({ from: "all", binary: true })) tail.add(chunk);
    const { exitCode, originalMessage } = await child;
    stop.removeEventListener("abort", end);
    signal.throwIfAborted();
    if (limit.aborted) return { exitCode: null, reason: `did not end within ${timeoutSeconds} s`, output: tail.text };
    return {
      exitCode: exitCode ?? null,
      output: tail.text,
      ...(exitCode === undefined && { reason: originalMessage }),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { exitCode: null, reason: messageOf(error), output: tail.text };
  }
}

class Tail {
  readonly #decoder = new TextDecoder();
  text = "";

  add(chunk: Uint8Array): void {
    this.text = (this.text + this.#decoder.decode(chunk, { stream: true })).slice(-keptCharacters);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name);
    } catch {
      // It has ended.
    }
  };
  send("SIGTERM");
  setTimeout(send, graceMilliseconds, "SIGKILL").unref();
}
