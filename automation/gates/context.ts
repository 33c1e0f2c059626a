import type { Config } from "../../stacks/config.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { SystemsManager } from "../cloud/systems-manager.ts";

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
  /** Takes secrets out of what is quoted as evidence. */
  readonly redact: (text: string) => string;
}

/** Asked at every look: an array launches servers when it likes to. */
export type Servers = (signal: AbortSignal) => Promise<readonly Frontend[]>;

export function generationOf(outputs: Outputs, name: string): Outputs["generations"][string] {
  const generation = outputs.generations[name];
  if (generation === undefined) throw new Error(`The stack's outputs have no generation "${name}".`);
  return generation;
}
