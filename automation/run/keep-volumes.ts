import { types } from "../../stacks/names.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { DataVolume } from "../cloud/volumes.ts";
import type { Operation } from "../engine/operation.ts";
import { messageOf } from "../errors.ts";
import type { Servers } from "../gates/context.ts";

/** The servers that a plan ends: frontends, and all of an array's. Undefined when it ends none. */
export function endingServers(
  operations: readonly Operation[],
  { generations }: Outputs,
  aws: Pick<Aws, "arrays">,
): Servers | undefined {
  const ended = (type: string) =>
    new Set(operations.flatMap((operation) => (ends(operation) && operation.type === type ? [operation.name] : [])));
  const [servers, groups] = [ended(types.instance), ended(types.autoScalingGroup)];
  const all = Object.entries(generations);
  const frontends = all.flatMap(([, generation]) => generation.frontends.filter(({ name }) => servers.has(name)));
  // A group has its generation's name in the stack.
  const arrays = all.flatMap(([name, { array }]) => (array !== undefined && groups.has(name) ? [array.name] : []));
  if (frontends.length + arrays.length === 0) return undefined;
  return async (signal) => [...frontends, ...(await aws.arrays.servers(arrays, signal))];
}

/** Lets every volume beside their roots outlive servers. @returns those that would have ended, and why one still would */
export async function keepVolumes(
  servers: Servers,
  { volumes }: Pick<Aws, "volumes">,
  signal: AbortSignal,
): Promise<{ readonly kept: readonly DataVolume[]; readonly problems: readonly string[] }> {
  const kept: DataVolume[] = [];
  const problems: string[] = [];
  try {
    const ids = (await servers(signal)).map(({ instanceId }) => instanceId);
    const ending = (await volumes.beside(ids, signal)).filter(({ endsWithServer }) => endsWithServer);
    const each = await Promise.allSettled(ending.map(async (volume) => volumes.keep(volume, signal)));
    each.forEach((result, index) => {
      if (result.status === "rejected") problems.push(messageOf(result.reason));
      else kept.push(...ending.slice(index, index + 1));
    });
  } catch (error) {
    problems.push(messageOf(error));
  }
  return { kept, problems };
}

function ends({ op }: Operation): boolean {
  return op === "delete" || op === "replace" || op === "delete-replaced";
}
