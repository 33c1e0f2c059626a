import { type Config, ConfigError } from "../../stacks/config.ts";
import type { Frontend, LastOutputs, Outputs } from "../../stacks/outputs.ts";
import type { SystemsManager } from "../cloud/systems-manager.ts";
import { messageOf } from "../errors.ts";

/** Name of the evidence that a run has of each address that it moved: how, and how long it was quiet. */
export const movesGate = "moves of addresses";

type AddressesConfig = Config["upgrade"]["addresses"];

/** How addresses leave servers, and where not quietly: why not. */
export type Way = { readonly move: "quiet" } | { readonly move: "direct"; readonly why: string };

/** Quietly, unless somebody wants it otherwise or Systems Manager does not reach one of the servers. */
export async function wayOff(
  servers: readonly Pick<Frontend, "name" | "instanceId">[],
  { move }: AddressesConfig,
  manager: Pick<SystemsManager, "unreached">,
  signal?: AbortSignal,
): Promise<Way> {
  if (move === "direct") return { move, why: "handover:upgrade.addresses.move says so" };
  try {
    const unreached = await manager.unreached([...new Set(servers.map(({ instanceId }) => instanceId))], signal);
    if (unreached.size === 0) return { move: "quiet" };
    const each = servers.flatMap(({ name, instanceId }) => {
      const why = unreached.get(instanceId);
      return why === undefined ? [] : [`${name} (${why})`];
    });
    return { move: "direct", why: `Systems Manager does not reach ${[...new Set(each)].join(", ")}` };
  } catch (error) {
    signal?.throwIfAborted();
    return { move: "direct", why: `Systems Manager does not say whether it reaches the servers (${messageOf(error)})` };
  }
}

/** The way in words, as users would notice it. */
export function wordsOf(way: Way, { quietSeconds }: AddressesConfig): string {
  return way.move === "quiet"
    ? `addresses move quietly: new connections wait while what is in flight is answered, for up to ${quietSeconds} s`
    : `addresses move directly, and what is in flight through them is cut: ${way.why}`;
}

/** The servers that addresses leave on the way to a generation. Default: to a new one. */
export function leaving(
  { addresses, generations }: Pick<Outputs, "addresses" | "generations">,
  to?: string,
): Frontend[] {
  const held = new Set(addresses.map(({ instanceId }) => instanceId));
  return Object.entries(generations)
    .filter(([name]) => name !== to)
    .flatMap(([, { frontends }]) => frontends.filter(({ instanceId }) => held.has(instanceId)));
}

interface Asked {
  readonly config: Config;
  readonly last: LastOutputs | undefined;
  readonly manager: Pick<SystemsManager, "unreached">;
}

/**
 * Where addresses must move quietly, they can.
 * @throws ConfigError (exit 1)
 */
export async function checkQuiet({ config, last, manager }: Asked, signal: AbortSignal): Promise<void> {
  const { addresses } = config.upgrade;
  const servers = last === undefined ? [] : leaving(last.outputs, config.live);
  if (addresses.move !== "quiet" || servers.length === 0) return;
  const way = await wayOff(servers, addresses, manager, signal);
  if (way.move === "quiet") return;
  throw new ConfigError([
    `handover:upgrade.addresses.move: quiet cannot be, since ${way.why}; let the agent of Systems Manager run there, with an instance profile that has AmazonSSMManagedInstanceCore, or leave move out: addresses then move directly where they must`,
  ]);
}
