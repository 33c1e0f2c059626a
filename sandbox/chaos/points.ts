import type { PhaseName } from "../../stacks/runbook.ts";

/** Who is killed with -9. */
export const victims = ["driver", "engine", "provider"] as const;
export type Victim = (typeof victims)[number];

/** When: before the phase's update, in the middle of it, or after it, while its gates are held. */
export const moments = ["before", "during", "after"] as const;
export type Moment = (typeof moments)[number];

export interface Point {
  readonly phase: PhaseName;
  readonly moment: Moment;
  readonly victim: Victim;
}

/** Phases that update the stack; `migrate` runs a command instead. */
const phases: readonly PhaseName[] = [
  "backup",
  "launch-first",
  "launch-rest",
  "connect",
  "move-addresses",
  "observe",
  "drain",
  "retire",
];

/** Every point: the driver at each moment of each phase, the engine and the provider in the middle of each update. */
export const allPoints: readonly Point[] = phases.flatMap((phase) => [
  ...moments.map((moment): Point => ({ phase, moment, victim: "driver" })),
  { phase, moment: "during", victim: "engine" },
  { phase, moment: "during", victim: "provider" },
]);

export function nameOf({ phase, moment, victim }: Point): string {
  return `${phase}/${moment}/${victim}`;
}
