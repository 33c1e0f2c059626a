import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import { knownWays, testHostOf } from "../gates/ways-in.ts";

/** What would pause an upgrade from the generation that serves: ways to its servers that Handover does not shift, by name. */
export async function otherWays(
  aws: Pick<Aws, "arrays" | "waysIn" | "testHostProblems">,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<string[]> {
  const known = await knownWays(aws, outputs, outputs.live, signal);
  const [ways, problems] = await Promise.all([
    aws.waysIn(known, signal),
    aws.testHostProblems(testHostOf(outputs), signal),
  ]);
  return [...ways, ...problems];
}
