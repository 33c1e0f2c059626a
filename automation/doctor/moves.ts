import type { Config } from "../../stacks/config.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import type { SystemsManager } from "../cloud/systems-manager.ts";
import { leaving, wayOff, wordsOf } from "../quiet/way.ts";
import { type Finding, ok, problem } from "./finding.ts";

/** How addresses would leave the servers that have them; nothing where there are none. */
export async function checkMoves(
  { upgrade: { addresses } }: Pick<Config, "upgrade">,
  last: Pick<LastOutputs, "outputs"> | undefined,
  manager: Pick<SystemsManager, "unreached">,
): Promise<Finding[]> {
  const servers = last === undefined ? [] : leaving(last.outputs);
  if (servers.length === 0) return [];
  const way = await wayOff(servers, addresses, manager, AbortSignal.timeout(60_000));
  const words = wordsOf(way, addresses);
  if (way.move === "quiet" || addresses.move !== "quiet") return [ok("addresses", words)];
  return [problem("addresses", `${words}. handover:upgrade.addresses.move is quiet, so an upgrade would be refused`)];
}
