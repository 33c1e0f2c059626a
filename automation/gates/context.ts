import type { Config } from "../../stacks/config.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { SystemsManager } from "../cloud/systems-manager.ts";
import type { Baseline, Finding } from "../ledger/events.ts";

/** The context in which a row's gates look. */
export interface GateContext {
  readonly aws: Aws;
  readonly manager: SystemsManager;
  readonly config: Config;
  readonly stack: string;
  /** The run's id. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The stack's outputs before and after the row's update. */
  readonly before: Outputs | undefined;
  readonly after: Outputs;
  /** When the last update of a phase was over, at the latest, in milliseconds since 1970. Default: long ago. */
  readonly forwardAt?: number | undefined;
  /** The shares of the traffic that every node of the load balancer is known to have: see `sharesIn`. Default: none. */
  readonly settledShares?: string | undefined;
  /** What was bad before the run. Default: nothing is known to have been. */
  readonly baseline?: Baseline | undefined;
  /** Takes secrets out of what is quoted as evidence. */
  readonly redact: (text: string) => string;
}

/** Asked at every look: an array launches servers when it likes to. */
export type Servers = (signal: AbortSignal) => Promise<readonly Frontend[]>;

/** Whether something was bad before the run: it is no evidence against the new generation, and no way back waits for it. */
export function wasBad({ baseline }: Pick<GateContext, "baseline">, kind: Finding["kind"], id: string): boolean {
  return baseline?.bad.some((finding) => finding.kind === kind && finding.id === id) ?? false;
}

/** Each generation's share of the traffic, to be compared with another. */
export function sharesIn({ generations }: Outputs): string {
  return JSON.stringify(Object.entries(generations).map(([name, { weight }]) => [name, weight]));
}

/** The name of a gate's subject where it is asked of one entry: none is named but those beside the first. */
export function ofEntry(name: string, entry: string | undefined): string {
  return entry === undefined ? name : `${name} (${entry})`;
}

/** Whether a server was bad before the run, for every entry or for one. */
export function wasServerBad(
  context: Pick<GateContext, "baseline">,
  instanceId: string,
  entry: string | undefined,
): boolean {
  return wasBad(context, "server", instanceId) || wasBad(context, "server", ofEntry(instanceId, entry));
}

export function generationOf(outputs: Outputs, name: string): Outputs["generations"][string] {
  const generation = outputs.generations[name];
  if (generation === undefined) throw new Error(`The stack's outputs have no generation "${name}".`);
  return generation;
}

/** Whether a generation is the one that a run comes from. */
export function isOld({ from, to }: Pick<GateContext, "from" | "to">, name: string): boolean {
  return name === from && from !== to;
}
