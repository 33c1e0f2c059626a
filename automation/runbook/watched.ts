import type { LogConfig } from "../../stacks/config/watch-schema.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { loadBalancerName, targetGroupName } from "../cloud/balancer-metrics.ts";
import { noAlarm } from "../gates/alarms.ts";
import { Comparison, type Side } from "../gates/comparison.ts";
import { type GateContext, generationOf, wasBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { fewMatches, type Writers } from "../gates/logs.ts";
import { metricWithin, type Placeholders } from "../gates/metrics.ts";

/**
 * Gates that are watched while the new generation gets public traffic: against the old one, and what the configuration names,
 * if it was in order before.
 */
export function watched(context: GateContext): Gate[] {
  const { aws, config, from, to, after, baseline } = context;
  const { cloudWatch } = aws;
  const [next, old] = [sideOf(after, to), sideOf(after, from)];
  const { comparison, gateSeconds, ...upgrade } = config.upgrade;
  const loadBalancerArn = after.loadBalancer.arn;
  const placeholders = placeholdersOf(after, to, from);
  const metrics = upgrade.metrics.filter(({ name }) => !wasBad(context, "metric", name));
  const alarms = upgrade.alarms.filter((name) => !wasBad(context, "alarm", name));
  const usual = new Map(baseline?.bad.flatMap(({ kind, id, perMinute }) => (kind === "log" ? [[id, perMinute]] : [])));
  return [
    ...(comparison.enabled ? [new Comparison(cloudWatch, { next, old, loadBalancerArn }, comparison)] : []),
    ...metrics.map((metric) => metricWithin(cloudWatch, metric, placeholders, gateSeconds)),
    ...(alarms.length > 0 ? [noAlarm(cloudWatch, alarms, gateSeconds)] : []),
    ...upgrade.logs.map((log) => {
      const sides = { next: writers(next), old: writers(old), usualPerMinute: usual.get(logId(log)) };
      return fewMatches(cloudWatch, log, sides, gateSeconds);
    }),
  ];

  /** Everything that is registered, an array's servers too. */
  function writers({ targetGroupArn, weight }: Side): Writers {
    return { weight, instanceIds: async (signal) => [...(await aws.targetHealth(targetGroupArn, signal)).keys()] };
  }
}

/** Names a log's pattern in the baseline. */
export function logId({ group, pattern }: LogConfig): string {
  return `${group}: ${pattern}`;
}

/** The values of placeholders in queries about a generation. */
export function placeholdersOf(outputs: Outputs, generation: string, old: string): Placeholders {
  return {
    generation,
    oldGeneration: old,
    targetGroup: targetGroupName(generationOf(outputs, generation).targetGroupArn),
    oldTargetGroup: targetGroupName(generationOf(outputs, old).targetGroupArn),
    loadBalancer: loadBalancerName(outputs.loadBalancer.arn),
  };
}

function sideOf(outputs: Outputs, name: string): Side {
  const { targetGroupArn, weight } = generationOf(outputs, name);
  return { name, targetGroupArn, weight };
}
