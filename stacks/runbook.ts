/**
 * The runbook: the phases in their order. `index.ts` and the driver walk the same list.
 * The stack in each phase is in intent.ts; everything else that the driver knows of a row is in automation/runbook/.
 */
export const runbook = [
  { name: "backup", does: "takes a snapshot of the database", inverse: "none: the snapshot is kept" },
  { name: "migrate", does: "runs the pre-upgrade migrations", inverse: "none: a migration is its author's" },
  { name: "launch-first", does: "launches the first new server, out of the pool, and tests it", inverse: "removes it" },
  { name: "launch-rest", does: "launches the other new servers and tests them", inverse: "removes them" },
  { name: "connect", does: "gives the new servers a growing share of the traffic", inverse: "takes it back" },
  { name: "suspend-array", does: "suspends the old array and creates the new one", inverse: "restores the old array" },
  {
    name: "move-addresses",
    does: "gives the new servers all traffic, and then the Elastic IPs: one first, then the rest",
    inverse: "gives them back",
  },
  { name: "resume-array", does: "enables the new array", inverse: "suspends it" },
  { name: "observe", does: "gives all traffic to the new servers and watches them", inverse: "gives it back" },
  { name: "drain", does: "deregisters the old servers and lets sessions end", inverse: "registers them again" },
  { name: "retire", does: "terminates the old servers", inverse: "none: upgrade to the old generation instead" },
] as const;

export type PhaseName = (typeof runbook)[number]["name"];

/** Registers the old servers again, and points the test host name at them: the way back from a phase without them. */
export const readmit = "readmit";

/** Puts traffic and addresses back, and then takes the new servers out of the pool. */
export const withdraw = "withdraw";

/** A row that has an intent: what `handover:phase` may be. */
export type IntentRow = PhaseName | typeof readmit | typeof withdraw;

export const phaseNames: readonly PhaseName[] = runbook.map((phase) => phase.name);

/** The first phase, and the one that leaves the new generation alone. */
export const firstPhase: PhaseName = runbook[0].name;
export const lastPhase: PhaseName = runbook[runbook.length - 1]?.name ?? firstPhase;

export function isPhase(name: string): name is PhaseName {
  return phaseNames.some((phase) => phase === name);
}

export function isIntentRow(name: string): name is IntentRow {
  return name === readmit || name === withdraw || isPhase(name);
}

/** Tells whether `phase` comes after `other` in the runbook. */
export function isAfter(phase: PhaseName, other: PhaseName): boolean {
  return phaseNames.indexOf(phase) > phaseNames.indexOf(other);
}
