import { execa } from "execa";
import { projectDirectory } from "../../stacks/project.ts";

export interface GroupOptions {
  /** Added to the driver's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it and all that it started: at first gently, then for good. */
  readonly signal: AbortSignal;
  /** Time that it has to end by itself. */
  readonly graceMilliseconds: number;
}

/**
 * Starts a program in the project's folder, without a shell, in a process group of its own: a Ctrl-C in the driver's
 * terminal does not reach it, and what it started ends with it. What still writes after that is not listened to.
 */
export function startGroup([file = "", ...args]: readonly string[], options: GroupOptions) {
  const { environment, signal, graceMilliseconds } = options;
  const child = execa(file, args, {
    cwd: projectDirectory,
    env: environment,
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
    detached: true,
  });
  const end = () => {
    send(child.pid, "SIGTERM");
    setTimeout(() => {
      send(child.pid, "SIGKILL");
      child.all.destroy();
    }, graceMilliseconds).unref();
  };
  signal.addEventListener("abort", end, { once: true });
  child.all.once("close", () => signal.removeEventListener("abort", end));
  return child;
}

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
