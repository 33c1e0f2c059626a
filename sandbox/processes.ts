import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServiceOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Standard output and standard error are appended here. */
  readonly logFile: string;
  /** The service outlives this process. Default: false. */
  readonly detached?: boolean;
  /** Seconds that the service has until it prints a line `ready`. Default: 30. */
  readonly readySeconds?: number;
}

/**
 * Starts a service of the sandbox and waits until it has printed a line that reads `ready`.
 * @throws if it ends or stays silent before that; the message ends with the last lines of its log.
 */
export async function startService(name: string, options: ServiceOptions): Promise<ChildProcess> {
  const log = openSync(options.logFile, "a");
  const start = readFileSync(options.logFile).length;
  const child = spawn(options.command, options.args, {
    env: options.env ?? process.env,
    detached: options.detached ?? false,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  child.once("error", (error) => {
    ended = error.message;
  });
  child.once("exit", (code, signal) => {
    ended = `ended with ${signal ?? `exit code ${code}`}`;
  });
  const deadline = Date.now() + (options.readySeconds ?? 30) * 1000;
  for (;;) {
    const output = readFileSync(options.logFile).subarray(start).toString();
    if (/^ready$/m.test(output)) break;
    if (ended !== undefined || Date.now() > deadline) {
      await stopProcess(child.pid);
      const tail = output.trimEnd().split("\n").slice(-15).join("\n");
      throw new Error(`The sandbox's ${name} did not start: ${ended ?? "not ready in time"}.\n${tail}`);
    }
    await sleep(20);
  }
  if (options.detached) child.unref();
  return child;
}

/** Ends a process with SIGTERM, and with SIGKILL if it is still there after `graceSeconds`. */
export async function stopProcess(pid: number | undefined, graceSeconds = 5): Promise<void> {
  if (pid === undefined || !isRunning(pid)) return;
  signalProcess(pid, "SIGTERM");
  const deadline = Date.now() + graceSeconds * 1000;
  while (isRunning(pid)) {
    if (Date.now() > deadline) signalProcess(pid, "SIGKILL");
    await sleep(20);
  }
}

/** Whether the process is there and not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
