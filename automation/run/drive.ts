import type { Listener } from "../documents/events.ts";
import type { Baseline } from "../ledger/events.ts";
import type { Signals } from "../processes/signals.ts";
import type { Ruling } from "../site-commands/command-states.ts";
import type { OpenStack } from "./open-stack.ts";
import type { LeaseWish, RunLedger } from "./run-ledger.ts";

/** A command's wishes for how a stack is driven. */
export interface DriveOptions extends LeaseWish {
  readonly listener: Listener;
  readonly signals: Signals;
  /** Phases before which a person must approve, beside those of the configuration. */
  readonly pauseBefore?: readonly string[];
  /** Nobody is asked. Default: false. */
  readonly autoApprove?: boolean;
  /** Go back although the migrations were declared not reversible. Default: false. */
  readonly acceptSchema?: boolean;
  /** Go on with a state that is not the one that was changed last. Default: false. */
  readonly acceptState?: boolean;
  /** A person's word on the migration command that was cut off: it is complete, or is to be run once more. */
  readonly migration?: Ruling;
  /** Read the cloud into the state first, and tell what differs. Default: false. */
  readonly refresh?: boolean;
}

/** The context that the parts of the driver share. */
export interface Drive {
  readonly opened: OpenStack;
  readonly ledger: RunLedger;
  readonly options: DriveOptions;
  /** The site before the run that is driven. Default: not known. */
  readonly baseline?: Baseline | undefined;
}
