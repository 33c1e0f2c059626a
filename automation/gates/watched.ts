import type { Outputs } from "../../stacks/outputs.ts";
import { loadBalancerName, targetGroupName } from "../balancer-metrics.ts";
import { noAlarm } from "./alarms.ts";
import { Comparison } from "./comparison.ts";
import type { Gate } from "./gate.ts";
import { fewMatches } from "./logs.ts";
import { metricWithin } from "./metrics.ts";
import type { Scene } from "./of-row.ts";

/** What is watched while the new generation gets public traffic: against the old one, and what the configuration names. */
export function watched({ aws: { cloudWatch }, config, from, to, after }: Scene): Gate[] {
  const [next, old] = [sideOf(after, to), sideOf(after, from)];
  const { comparison, metrics, alarms, logs, gateSeconds } = config.upgrade;
  const loadBalancerArn = after.loadBalancer.arn;
  const placeholders = {
    generation: to,
    oldGeneration: from,
    targetGroup: targetGroupName(next.targetGroupArn),
    oldTargetGroup: targetGroupName(old.targetGroupArn),
    loadBalancer: loadBalancerName(loadBalancerArn),
  };
  return [
    ...(comparison.enabled ? [new Comparison(cloudWatch, { next, old, loadBalancerArn }, comparison)] : []),
    ...metrics.map((metric) => metricWithin(cloudWatch, metric, placeholders, gateSeconds)),
    ...(alarms.length > 0 ? [noAlarm(cloudWatch, alarms, gateSeconds)] : []),
    ...logs.map((log) => fewMatches(cloudWatch, log, { next, old }, gateSeconds)),
  ];
}

function sideOf({ generations }: Outputs, name: string) {
  const generation = generations[name];
  if (generation === undefined) throw new Error(`The stack's outputs have no generation "${name}".`);
  const { targetGroupArn, weight, frontends } = generation;
  return { name, targetGroupArn, weight, instanceIds: frontends.map(({ instanceId }) => instanceId) };
}
