import { InterruptedError } from "../errors.ts";
import type { Signals } from "../processes/signals.ts";

const interruptSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ctrl-C, SIGTERM or a closed terminal: the first finishes the operation in hand and stops, the second cancels it.
 * Call `dispose` when the work is done.
 */
export function interrupts(notify: (line: string) => void): Signals & { dispose(): void } {
  const stop = new AbortController();
  const cancel = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      notify(`${signal} again: cancelling the operation in hand`);
      cancel.abort(signal);
    } else {
      notify(`${signal}: finishing the operation in hand, then stopping (once more to cancel it)`);
      stop.abort(signal);
    }
  };
  for (const signal of interruptSignals) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    cancel: cancel.signal,
    dispose: () => {
      for (const signal of interruptSignals) process.off(signal, onSignal);
    },
  };
}

/**
 * The error of work that ended before its first operation, waiting for the lease or putting in order what a killed run
 * left: an `InterruptedError` if it ended because it was told to.
 */
export function explainInterrupt(error: unknown, { stop, cancel }: Signals): unknown {
  const isAbort = error instanceof Error ? error.name === "AbortError" : [stop.reason, cancel.reason].includes(error);
  if (!stop.aborted || !isAbort) return error;
  return new InterruptedError(String(stop.reason), {
    state: "Nothing was begun",
    first: "Type the same command again to go on",
  });
}
