import type { Row } from "../../automation/runbook/rows.ts";
import type { World } from "./world.ts";

/** When it happens: before the run, as the phase begins, while it is applied, or while its gates are held. */
export type Moment = "first" | "before" | "during" | "after";

/** The run that an event strikes. */
export interface Struck {
  readonly world: World;
  readonly from: string;
  readonly to: string;
  readonly phase: Row;
}

/** What was done, so that the row can be judged. */
export interface Done {
  /** Whether it is so: a row in which nothing happened shows nothing. */
  readonly happened: boolean;
  /** Ids of what the event itself took. Default: nothing. */
  readonly took?: readonly string[];
  /** Public addresses whose requests it cuts until they are moved. Default: none. */
  readonly cutAddresses?: readonly string[];
  /** Public addresses that it may leave on no server, which cuts their requests until they are on one again. Default: none. */
  readonly displaced?: readonly string[];
  /** Ids of what it brought, and what nobody may lose either. Default: nothing. */
  readonly stays?: readonly string[];
  /** The size of the live array afterwards. Default: as before. */
  readonly arraySize?: "any";
  /** Seconds in which the load balancer may refuse requests: it has not yet found a server dead, or there is none. Default: 0. */
  readonly cutSeconds?: number;
  /** Takes back before the site is looked at what nobody but who did it would. Default: nothing. */
  readonly before?: () => Promise<void>;
  /** What a person does before typing what a message says. Default: nothing. */
  readonly mend?: () => Promise<void>;
  /** Puts away what is in the way of the next row. Default: nothing. */
  readonly after?: () => Promise<void>;
}

/** One thing that happens beside a run. */
export interface Storm {
  readonly name: string;
  readonly kind: "server" | "by hand" | "around" | "state";
  readonly inPhase: (phase: Row) => boolean;
  /** The one moment at which it can happen: `first` is before the run. Default: each of the others. */
  readonly moment?: Moment;
  /** Variables of the driver. */
  readonly env?: (world: World) => Promise<Record<string, string>>;
  /** Values of the stack's file for this row. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly strike: (run: Struck) => Promise<Done>;
}

export const nothing: Done = { happened: false };
