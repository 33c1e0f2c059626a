import type { Outputs } from "../../stacks/outputs.ts";

type Seen = Pick<Outputs, "generations" | "addresses">;

/**
 * What users would notice of a row's updates: each generation's share of the traffic, step by step, and the Elastic IPs that
 * change hands.
 * @param stages the outputs before the first update and after each
 */
export function effectsOf(stages: readonly Seen[]): string[] {
  return [...traffic(stages), ...addresses(stages)];
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
