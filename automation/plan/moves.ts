import type { Outputs } from "../../stacks/outputs.ts";
import { wayOff, wordsOf } from "../quiet/way.ts";
import type { OpenStack } from "../run/open-stack.ts";

/**
 * How a row's addresses leave their servers, in words; empty where none does.
 * @param stages the outputs before the first update and after each
 */
export async function howAddressesMove(
  stages: readonly Pick<Outputs, "addresses">[],
  { config, last, manager }: Pick<OpenStack, "config" | "last" | "manager">,
  signal: AbortSignal,
): Promise<string[]> {
  const [before, after] = [stages[0], stages.at(-1)];
  if (before === undefined || after === undefined) return [];
  const left = before.addresses
    .filter(({ allocationId, instanceId }) => {
      const now = after.addresses.find((each) => each.allocationId === allocationId);
      return now !== undefined && now.instanceId !== instanceId;
    })
    .map(({ instanceId }) => instanceId);
  if (left.length === 0) return [];
  const { addresses } = config.upgrade;
  const there = Object.values(last?.outputs.generations ?? {}).flatMap(({ frontends }) => frontends);
  const servers = there.filter(({ instanceId }) => left.includes(instanceId));
  // On the way back it is servers which are not there yet.
  if (servers.length < new Set(left).size && addresses.move !== "direct")
    return ["addresses move quietly where Systems Manager reaches the new servers by then, else directly"];
  return [wordsOf(await wayOff(servers, addresses, manager, signal), addresses)];
}
