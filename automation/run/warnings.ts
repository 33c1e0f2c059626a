import type { Config } from "../../stacks/config.ts";
import type { RunIdentity } from "../runbook/rows.ts";

/** Warns of what a person should know before a run begins, from the configuration alone. */
export function warningsOf({ generations }: Config, { from, to }: Pick<RunIdentity, "from" | "to">): string[] {
  // Every new server is healthy before an old one leaves; how many that are is the configuration's word.
  const [old, next] = [from, to].map((name) => generations[name]?.frontends ?? 0);
  if (old === undefined || next === undefined || next >= old) return [];
  return [
    `${to} declares ${next} frontends, and ${from} has ${old}: fewer servers will serve than before the run (handover:generations.${to}.frontends)`,
  ];
}
