import type { Config } from "../../stacks/config.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { notCarriedOver } from "../cloud/array-extras.ts";
import type { Aws } from "../cloud/aws.ts";
import { knownWays, testHostOf } from "../gates/ways-in.ts";

/**
 * What would pause an upgrade of the generation that serves, by name: ways to its servers that Handover does not shift, and
 * what its array has by hand.
 */
export async function otherWays(
  aws: Pick<Aws, "arrays" | "waysIn" | "testHostProblems">,
  config: Config,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<string[]> {
  const known = await knownWays(aws, outputs, outputs.live, signal);
  const found = await Promise.all([
    aws.waysIn(known, signal),
    aws.testHostProblems(testHostOf(outputs), signal),
    lostWithArray(aws, config, outputs, signal),
  ]);
  return found.flat();
}

async function lostWithArray(
  { arrays }: Pick<Aws, "arrays">,
  { generations, live: goal, upgrade }: Config,
  { live, generations: inUse }: Outputs,
  signal: AbortSignal,
): Promise<string[]> {
  const { array } = inUse[live] ?? {};
  const [old, next] = [generations[live]?.array, generations[goal]?.array];
  if (array === undefined || old === undefined || next === undefined) return [];
  const found = await arrays.describe(array.name, signal);
  const lost = found === undefined ? [] : notCarriedOver(found, [old, next], upgrade.arrayMayLose);
  return lost.map((name) => `${name} of the array of ${live} would not be in the new one`);
}
