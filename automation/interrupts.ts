import type { Signals } from "./walker.ts";

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
