import type { Outputs } from "../../stacks/outputs.ts";
import { loadBalancerName, targetGroupName } from "../cloud/balancer-metrics.ts";
import { noAlarm } from "../gates/alarms.ts";
import { Comparison, type Side } from "../gates/comparison.ts";
import { type GateContext, generationOf } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { fewMatches, type Writers } from "../gates/logs.ts";
import { metricWithin } from "../gates/metrics.ts";

/** Gates that are watched while the new generation gets public traffic: against the old one, and what the configuration names. */
export function watched({ aws, config, from, to, after }: GateContext): Gate[] {
  const { cloudWatch } = aws;
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
    ...logs.map((log) => fewMatches(cloudWatch, log, { next: writers(next), old: writers(old) }, gateSeconds)),
  ];

  /** Everything that is registered, an array's servers too. */
  function writers({ targetGroupArn, weight }: Side): Writers {
    return { weight, instanceIds: async (signal) => [...(await aws.targetHealth(targetGroupArn, signal)).keys()] };
  }
}

function sideOf(outputs: Outputs, name: string): Side {
  const { targetGroupArn, weight } = generationOf(outputs, name);
  return { name, targetGroupArn, weight };
}
