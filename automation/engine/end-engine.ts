import { once } from "node:events";
import { connect } from "node:net";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes, HandoverError } from "../errors.ts";
import { processArguments, processStart, processStartTime } from "../processes/identity.ts";

/** Who holds the backend's lock on a stack. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** When it took the lock, in milliseconds since 1970, to the second. */
  readonly since: number;
}

/**
 * The holders that the engine names when a stack is locked: `created by root@host (pid 42) at 2026-11-24T09:30:15Z`.
 * None for Pulumi Cloud, which does not say.
 */
export function lockHolders(message: string): LockHolder[] {
  return [...message.matchAll(/created by \S+@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, host = "", pid, since = ""]) => ({ host, pid: Number(pid), since: Date.parse(since) }),
  );
}

export interface EndOptions {
  readonly stack: string;
  readonly signal: AbortSignal;
  /** Whether the stack's lease is held: no other driver works then. Without it, one may. */
  readonly leased: boolean;
  /** Called right before anything is done to another process. @throws LeaseLostError */
  readonly assertMayRun: () => void;
  /** Time that the engine has to end by itself, and then each time it is asked to. Default: 5. */
  readonly graceSeconds?: number;
}

/**
 * Ends the engine that works for a driver which lost its lease: one that is dead, or was stopped. It is given the time
 * to finish what it has in hand; then it is asked to cancel, and at last killed.
 * @returns when the holder is no process of this machine any more, or never was
 * @throws HandoverError (exit 5) when somebody steps the stack by hand, or without a lease when a driver is not seen to
 * be dead
 */
export async function endDeadEngine(holder: LockHolder, options: EndOptions): Promise<void> {
  const { stack, signal, leased, assertMayRun, graceSeconds = 5 } = options;
  const { host, pid, since } = holder;
  if (host !== hostname()) {
    if (leased) return;
    throw new EngineBusyError(stack, `The engine of process ${pid} on ${host}`);
  }
  const start = processStart(pid);
  const started = processStartTime(pid);
  // Both are rounded to seconds.
  if (start === undefined || started === undefined || started > since + 2000) return;
  const args = processArguments(pid);
  if (!isPulumi(args)) return;
  if (!isDrivenOn(stack, args) || (!leased && (await isServed(args)))) {
    throw new EngineBusyError(stack, `The engine of process ${pid} on this machine`);
  }
  for (const ask of [undefined, "SIGINT", "SIGKILL"] as const) {
    if (ask !== undefined) {
      signal.throwIfAborted();
      assertMayRun();
      if (processStart(pid) === start) process.kill(pid, ask);
    }
    const deadline = performance.now() + graceSeconds * 1000;
    while (performance.now() < deadline) {
      if (processStart(pid) !== start) return;
      await sleep(50, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** Somebody else works on the stack, by hand or before there is a lease. */
export class EngineBusyError extends HandoverError {
  constructor(stack: string, holder: string) {
    super(
      "engine-busy",
      exitCodes.busy,
      `Somebody works on stack "${stack}": ${holder} holds the backend's lock. Nothing was changed. Type the same command again when it has ended; if it died on another machine, free the lock first: pulumi cancel --stack ${stack}`,
    );
  }
}

function isPulumi([program = ""]: readonly string[]): boolean {
  return /(^|\/)pulumi$/.test(program);
}

/** The Automation API says of every engine that it starts for a program of its own that it is one. */
function isDrivenOn(stack: string, args: readonly string[]): boolean {
  const following = (option: string) => args[args.indexOf(option) + 1];
  return following("--exec-kind") === "auto.inline" && following("--stack") === stack;
}

/** Whether the driver lives: the engine runs the program there, at `--client=127.0.0.1:PORT`. */
async function isServed(args: readonly string[]): Promise<boolean> {
  const [, host, port] = args.map((arg) => /^--client=(.+):(\d+)$/.exec(arg)).find((match) => match !== null) ?? [];
  if (host === undefined) return false;
  const socket = connect({ host, port: Number(port) });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
