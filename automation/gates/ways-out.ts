import type { Frontend } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { ServerWayOut } from "../cloud/ways-out.ts";
import type { Gate } from "./gate.ts";

/**
 * Each server can reach the Internet: it has a public address, or its subnet's routes need none. The evidence says from
 * which address its own calls come.
 * @param isolated whether subnets may have no way out at all: before the run it was seen that the live servers have none
 */
export function waysOut(
  aws: Pick<Aws, "waysOut">,
  frontends: readonly Frontend[],
  { isolated = false }: { readonly isolated?: boolean } = {},
): Gate {
  return {
    name: "way out",
    async observe(signal) {
      const ids = frontends.map(({ instanceId }) => instanceId);
      const ways = await aws.waysOut.ofServers(ids, signal);
      const isFine = (way: ServerWayOut | undefined) => way?.isOpen === true || (isolated && way?.byRoutes === "none");
      const shut = frontends.filter(({ instanceId }) => !isFine(ways.get(instanceId)));
      if (shut.length === 0) {
        const calls = frontends.map(({ name, instanceId }) => [name, sourceOf(ways.get(instanceId))]);
        return { verdict: "pass", evidence: { callsComeFrom: Object.fromEntries(calls) } };
      }
      const missed = shut.map(({ name, instanceId }) => ({ name, instanceId, why: whyShut(ways.get(instanceId)) }));
      return { verdict: "pending", evidence: { missed: missed.slice(0, 10) } };
    },
  };
}

function whyShut(way: ServerWayOut | undefined): string {
  if (way === undefined) return "AWS does not show it";
  const { subnetId, byRoutes } = way;
  if (byRoutes === "none") return `${subnetId} has no route to the Internet`;
  return `it has no public address, and ${subnetId} leads to the Internet through an internet gateway`;
}

function sourceOf(way: ServerWayOut | undefined): string {
  if (way?.byRoutes === "public address") return way.publicIp ?? "";
  return way?.byRoutes === "none" ? "nowhere" : "where its subnet's route leads";
}
