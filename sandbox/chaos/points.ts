import { factsOf, settle } from "../../automation/runbook/rows.ts";
import { lastPhase, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import type { Fault } from "../faults.ts";

/** One thing that goes wrong in an upgrade. */
export type Point = Kill | BadDay;

/** Somebody is killed with -9. */
export interface Kill {
  /** A phase, or the first deployment. */
  readonly phase: PhaseName | typeof settle;
  /** The phase's step, 1 being the first. Default: whichever comes first. */
  readonly step?: number;
  /**
   * When: before the phase's update, in the middle of it, or after it, while its gates are held and the next update is
   * previewed.
   */
  readonly moment: "before" | "during" | "after";
  readonly victim: "driver" | "engine" | "provider";
  /**
   * Latest moment after the engine's start. Default: 600; 300 for the engine. If one is done before then, the next is
   * killed instead.
   */
  readonly withinMilliseconds?: number;
}

/** The cloud answers badly from the beginning to the end. */
export interface BadDay {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Expected end of the upgrade: at the goal, or back where it began. */
  readonly exitCode: 0 | 2;
}

/** The sandbox's site, as far as the number of its updates goes: Pulumi.staging.yaml with fewer shares of the traffic. */
export const site = { elasticIps: 2, database: true, shiftPercent: [50], generations: {} };

/** Every update that changes something in the cloud. */
const places: readonly Pick<Kill, "phase" | "step">[] = phaseNames.flatMap((phase) => {
  const { updates, idle } = factsOf(phase);
  const count = updates(site);
  if (count === 1) return [{ phase }];
  return Array.from({ length: Math.max(0, count - idle) }, (_, index) => ({ phase, step: idle + index + 1 }));
});

/** One after the other: each leaves less to be done. */
const firstDeployment: readonly Kill[] = [
  { phase: settle, moment: "during", victim: "driver", withinMilliseconds: 1500 },
  { phase: settle, moment: "during", victim: "engine", withinMilliseconds: 1000 },
  { phase: settle, moment: "during", victim: "provider", withinMilliseconds: 800 },
];

/** The driver and the provider at each moment of each phase, and the engine whenever there is one. */
const kills: readonly Kill[] = places.flatMap((place): Kill[] => [
  { ...place, moment: "before", victim: "driver" },
  { ...place, moment: "before", victim: "provider" },
  { ...place, moment: "during", victim: "driver" },
  { ...place, moment: "during", victim: "engine" },
  { ...place, moment: "during", victim: "provider" },
  { ...place, moment: "after", victim: "driver" },
  // After the last update, nothing is previewed.
  ...(place.phase === lastPhase
    ? []
    : ([
        { ...place, moment: "after", victim: "engine" },
        { ...place, moment: "after", victim: "provider" },
      ] as const)),
]);

const badDays: readonly BadDay[] = [
  { name: "cloud/throttle", faults: [{ kind: "throttle", rate: 0.2 }], exitCode: 0 },
  { name: "cloud/error", faults: [{ kind: "error", rate: 0.05 }], exitCode: 0 },
  { name: "cloud/latency", faults: [{ kind: "latency", milliseconds: 300 }], exitCode: 0 },
  ...["RunInstances", "AssociateAddress", "RegisterTargets", "SendCommand"].map(
    (operation): BadDay => ({
      name: `cloud/drop-${operation}`,
      faults: [{ kind: "drop", operation, times: 2 }],
      exitCode: 0,
    }),
  ),
  { name: "cloud/no-systems-manager", faults: [{ kind: "error", operation: "GetCommandInvocation" }], exitCode: 0 },
  { name: "cloud/capacity", faults: [{ kind: "capacity" }], exitCode: 2 },
];

export const allPoints: readonly Point[] = [...firstDeployment, ...kills, ...badDays];

export function nameOf(point: Point): string {
  if ("name" in point) return point.name;
  const { phase, step, moment, victim } = point;
  return `${phase}${step === undefined ? "" : `-${step}`}/${moment}/${victim}`;
}

/** Everything that goes wrong in one upgrade. */
export type Day = BadDay | readonly Kill[];

export function killsOfFirstDeployment(points: readonly Point[]): readonly Kill[] {
  return points.filter((point) => "victim" in point).filter(({ phase }) => phase === settle);
}

/**
 * One upgrade each: a bad day, or kills one after the other, at most one per update. Every upgrade takes a minute, and
 * whatever a kill lost or doubled still is at its end; a pattern of one point shows a kill by itself.
 */
export function daysOf(points: readonly Point[]): readonly Day[] {
  const days = points.filter((point) => "faults" in point);
  const left = points.filter((point) => "victim" in point).filter(({ phase }) => phase !== settle);
  const upgrades: Kill[][] = [];
  while (left.length > 0) {
    const kills = places.flatMap(({ phase, step }) => {
      const index = left.findIndex((kill) => kill.phase === phase && kill.step === step);
      return index < 0 ? [] : left.splice(index, 1);
    });
    upgrades.push(kills);
  }
  return [...upgrades, ...days];
}
