import type { LogConfig } from "../../stacks/config/watch-schema.ts";
import { type Entry, entriesIn, type Outputs, targetsThrough } from "../../stacks/outputs.ts";
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
  const { gateSeconds, ...upgrade } = config.upgrade;
  const placeholders = placeholdersOf(after, to, from);
  const metrics = upgrade.metrics.filter(({ name }) => !wasBad(context, "metric", name));
  const alarms = upgrade.alarms.filter((name) => !wasBad(context, "alarm", name));
  const usual = new Map(baseline?.bad.flatMap(({ kind, id, perMinute }) => (kind === "log" ? [[id, perMinute]] : [])));
  return [
    ...(upgrade.comparison.enabled ? entriesIn(after).map((entry) => comparisonOf(context, entry)) : []),
    ...metrics.map((metric) => metricWithin(cloudWatch, metric, placeholders, gateSeconds)),
    ...(alarms.length > 0 ? [noAlarm(cloudWatch, alarms, gateSeconds)] : []),
    ...upgrade.logs.map((log) => {
      const sides = { next: writers(to), old: writers(from), usualPerMinute: usual.get(logId(log)) };
      return fewMatches(cloudWatch, log, sides, gateSeconds);
    }),
  ];

  /** Everything that is registered, an array's servers too. */
  function writers(name: string): Writers {
    const { weight, targetGroupArn } = generationOf(after, name);
    return { weight, instanceIds: async (signal) => [...(await aws.targetHealth(targetGroupArn, signal)).keys()] };
  }
}

/**
 * One for each entry: in a sum, few requests that all fail would not be seen among many that do not. An entry beside the first
 * may have too few to be judged by them, and the driver's own requests compare it all the same.
 */
function comparisonOf({ aws, config, from, to, after }: GateContext, { name, listener }: Entry): Comparison {
  const { comparison, probe } = config.upgrade;
  const sides = { next: sideOf(after, to, name), old: sideOf(after, from, name), loadBalancerArn: listener.arn };
  if (name === undefined) return new Comparison(aws.cloudWatch, sides, comparison);
  const whenTooFew = probe.enabled ? "pass" : comparison.whenTooFew;
  return new Comparison(aws.cloudWatch, { ...sides, entry: name }, { ...comparison, whenTooFew });
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

function sideOf(outputs: Outputs, name: string, entry: string | undefined): Side {
  const generation = generationOf(outputs, name);
  return { name, targetGroupArn: targetsThrough(generation, entry).targetGroupArn, weight: generation.weight };
}
