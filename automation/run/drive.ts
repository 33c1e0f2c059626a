import type { Listener } from "../documents/events.ts";
import type { Signals } from "../processes/signals.ts";
import type { RunIdentity } from "../runbook/updates.ts";
import type { CommandStates, Verdict } from "../site-commands/command-states.ts";
import type { Session } from "./open-stack.ts";
import type { LeaseWish, RunLedger } from "./run-ledger.ts";
import { Walker } from "./walker.ts";

/** How a command wants a stack to be driven. */
export interface DriveOptions extends LeaseWish {
  readonly listener: Listener;
  readonly signals: Signals;
  /** Phases before which a person must approve, beside those of the configuration. */
  readonly pauseBefore?: readonly string[];
  /** Nobody is asked. Default: false. */
  readonly autoApprove?: boolean;
  /** Go back although the migrations were declared not reversible. Default: false. */
  readonly acceptSchema?: boolean;
  /** What a person says of the migration command that was cut off: it is complete, or it shall be run once more. */
  readonly migration?: Verdict;
  /** Read the cloud into the state first, and tell what differs. Default: false. */
  readonly refresh?: boolean;
}

/** What the parts of the driver share. */
export interface Drive {
  readonly session: Session;
  readonly ledger: RunLedger;
  readonly options: DriveOptions;
}

/** @param states how the run's commands ended before */
export function walkerOf({ session, ledger, options }: Drive, run: RunIdentity, states: CommandStates = {}): Walker {
  const past = { states, verdict: options.migration };
  return new Walker(session, run, ledger, options.listener, options.signals, past);
}
