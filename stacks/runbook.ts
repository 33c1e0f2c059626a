/**
 * The runbook: the phases in their order. `index.ts` and the driver walk the same list.
 * What the stack looks like in each phase is in intent.ts; what must hold before the next one is in automation/gates/.
 */
export const runbook = [
  { name: "backup", does: "takes a snapshot of the database", inverse: "none: the snapshot is kept" },
  { name: "migrate", does: "runs the pre-upgrade migrations", inverse: "none: a migration is its author's" },
  { name: "launch-first", does: "launches the first new server, out of the pool, and tests it", inverse: "removes it" },
  { name: "launch-rest", does: "launches the other new servers and tests them", inverse: "removes them" },
  { name: "connect", does: "gives the new servers a growing share of the traffic", inverse: "takes it back" },
  { name: "suspend-array", does: "suspends the old array and creates the new one", inverse: "restores the old array" },
  { name: "move-addresses", does: "moves the Elastic IPs, one first and then the rest", inverse: "moves them back" },
  { name: "resume-array", does: "enables the new array", inverse: "suspends it" },
  { name: "observe", does: "gives all traffic to the new servers and watches them", inverse: "gives it back" },
  { name: "drain", does: "deregisters the old servers and lets sessions end", inverse: "registers them again" },
  { name: "retire", does: "terminates the old servers", inverse: "none: upgrade to the old generation instead" },
] as const;

export type PhaseName = (typeof runbook)[number]["name"];

/** The row that a rollback applies: traffic and addresses are back, and the new servers are out of the pool. */
export const withdraw = "withdraw";

export type Row = PhaseName | typeof withdraw;

export const phaseNames: readonly PhaseName[] = runbook.map((phase) => phase.name);

export function isRow(name: string): name is Row {
  return name === withdraw || phaseNames.some((phase) => phase === name);
}

/** Tells whether `phase` comes after `other` in the runbook. */
export function isAfter(phase: PhaseName, other: PhaseName): boolean {
  return phaseNames.indexOf(phase) > phaseNames.indexOf(other);
}
