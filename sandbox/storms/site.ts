import { PutMetricAlarmCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { DriverProcess, problemOf } from "../chaos/driver-process.ts";
import { seededRandom } from "../network/random.ts";
import { down, up } from "../sandbox.ts";
import { edit } from "../site.ts";
import { alarmName } from "./around.ts";
import { neighbour } from "./inventory.ts";
import { happen, type StormResult } from "./row.ts";
import type { StormRow } from "./rows.ts";
import { World } from "./world.ts";

/** Waits on which no proof depends, and an alarm that each run watches. */
const settings = {
  "handover:site.loadBalancer.deregistrationDelaySeconds": 2,
  "handover:upgrade.shiftPercent": [50],
  "handover:upgrade.stableSeconds": 0,
  "handover:upgrade.stepSeconds": 1,
  "handover:upgrade.bakeSeconds": 1,
  "handover:upgrade.gateSeconds": 40,
  "handover:upgrade.comparison.enabled": false,
  // A machine with many sites beside each other is slower at one moment than at another.
  "handover:upgrade.probe.enabled": false,
  "handover:upgrade.alarms": [alarmName],
};

/**
 * Brings one site up in a process of its own, and lets its rows happen one after the other, until one ends badly: the next
 * one begins with a site that nothing is the matter with.
 */
export async function storm(
  name: string,
  rows: readonly StormRow[],
  { seed, array = 1 }: { readonly seed: number; readonly array?: number },
  tell: (result: StormResult) => void,
): Promise<void> {
  const sandbox = await up({ name, ...(array > 0 && { array }), balancerLagSeconds: 1 });
  const world = new World(sandbox);
  try {
    edit(name, settings);
    const alarm = { AlarmName: alarmName, MetricName: "errors", Namespace: "storms", Statistic: "Sum" } as const;
    const over = {
      ComparisonOperator: "GreaterThanThreshold",
      Threshold: 1,
      Period: 60,
      EvaluationPeriods: 1,
    } as const;
    await world.cloudWatch.send(new PutMetricAlarmCommand({ ...alarm, ...over }));
    const quiet = { AlarmName: alarmName, StateValue: "OK", StateReason: "no errors" } as const;
    await world.cloudWatch.send(new SetAlarmStateCommand(quiet));
    const deployed = await new DriverProcess(["upgrade", "--stack", name], () => {}).ended();
    if (deployed.exitCode !== 0) throw new Error(problemOf(deployed));
    const others = await neighbour(world);
    const random = seededRandom(seed);
    let live = "blue";
    for (const row of rows) {
      const { result, live: now } = await happen(row, { world, live, others, seed: random() * 2 ** 31 });
      tell(result);
      if (result.problems.length > 0) return;
      live = now;
    }
  } finally {
    world.close();
    await down(name);
  }
}
