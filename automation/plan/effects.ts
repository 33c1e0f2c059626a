import type { Outputs } from "../../stacks/outputs.ts";
import type { WayOut } from "../../stacks/way-out.ts";

type Seen = Pick<Outputs, "generations" | "addresses">;

/**
 * What is noticed of a row's updates: by users, each generation's share of the traffic, step by step, and the Elastic IPs
 * that change hands; by whom the servers call, from where.
 * @param stages the outputs before the first update and after each
 * @param ways how each server leaves its network, by its place in its generation; repeated. Default: nobody asks
 */
export function effectsOf(stages: readonly Seen[], ways: readonly WayOut[] = []): string[] {
  return [...traffic(stages), ...addresses(stages), ...calls(stages, ways)];
}

function traffic(stages: readonly Seen[]): string[] {
  const shares = stages.map(sharesOf);
  const steps = shares.filter((share, index) => share !== shares[index - 1]);
  return steps.length > 1 ? [`traffic: ${steps.join(" -> ")}`] : [];
}

/** `blue 90, green 10`; weights are relative to each other. */
function sharesOf({ generations }: Seen): string {
  const weights = Object.entries(generations).filter(([, { weight }]) => weight > 0);
  const all = weights.reduce((sum, [, { weight }]) => sum + weight, 0);
  return weights.map(([name, { weight }]) => `${name} ${Math.round((100 * weight) / all)}`).join(", ");
}

function addresses(stages: readonly Seen[]): string[] {
  const [before, after] = [stages[0], stages.at(-1)];
  if (before === undefined || after === undefined) return [];
  const names = new Map(
    stages.flatMap(({ generations }) =>
      Object.values(generations).flatMap(({ frontends }) =>
        frontends.map(({ instanceId, name }) => [instanceId, name]),
      ),
    ),
  );
  const nameOf = (instanceId: string) => names.get(instanceId) ?? instanceId;
  return after.addresses.flatMap(({ allocationId, publicIp, instanceId }) => {
    const held = before.addresses.find((each) => each.allocationId === allocationId);
    if (held === undefined || held.instanceId === instanceId) return [];
    return [`${publicIp}: ${nameOf(held.instanceId)} -> ${nameOf(instanceId)}`];
  });
}

const assigned = "addresses that AWS assigns";

/** Partners let in calls by the address from which they come: each generation's sources, where they change. */
function calls(stages: readonly Seen[], ways: readonly WayOut[]): string[] {
  const [before, after] = [stages[0], stages.at(-1)];
  if (before === undefined || after === undefined || !ways.includes("public address")) return [];
  return Object.keys(after.generations).flatMap((name) => {
    const [then, now] = [before, after].map((stage) => sourcesOf(stage, name, ways));
    if (now === undefined || now === then) return [];
    return [`calls of ${name} come from ${now}${then === undefined ? "" : `, not ${then}`}`];
  });
}

function sourcesOf({ generations, addresses: all }: Seen, name: string, ways: readonly WayOut[]): string | undefined {
  const generation = generations[name];
  if (generation === undefined) return undefined;
  const sources = generation.frontends.flatMap(({ instanceId }, index) => {
    const way = ways[index % ways.length];
    if (way === "none") return [];
    const held = all.find((address) => address.instanceId === instanceId);
    return [way === "no address" ? "where its subnet's route leads" : (held?.publicIp ?? assigned)];
  });
  return [...new Set([...sources, ...(generation.array === undefined ? [] : [assigned])])].join(", ");
}
