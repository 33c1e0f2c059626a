import type { Outputs } from "../../stacks/outputs.ts";
import type { ArrayNow, ScheduledAction, Sizes } from "../cloud/arrays.ts";
import type { Aws } from "../cloud/aws.ts";
import { timesBetween } from "../cloud/cron.ts";
import { factsOf, type Row, type RunIdentity } from "../runbook/rows.ts";

const process = "ScheduledActions";

/** An action that fell due while it was suspended. */
export interface Missed {
  readonly action: ScheduledAction;
  /** Milliseconds since the epoch. */
  readonly due: number;
}

/** When scheduled actions were suspended, in milliseconds since the epoch; undefined where they are not, or AWS does not say. */
export function suspendedSince({ suspensions }: Pick<ArrayNow, "suspensions">): number | undefined {
  // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SuspendedProcess.html
  const since = /\d{4}-\d\d-\d\dT[\d:.]+Z?/.exec(suspensions[process] ?? "")?.[0];
  const time = since === undefined ? Number.NaN : Date.parse(since.endsWith("Z") ? since : `${since}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** The actions that fell due in a time, in their order. */
export function missedBetween(actions: readonly ScheduledAction[], since: number, until: number): Missed[] {
  const missed = actions.flatMap((action) => {
    const { recurrence, timeZone = "UTC", startTime, endTime = Number.POSITIVE_INFINITY } = action;
    if (recurrence === undefined) {
      const isDue = startTime !== undefined && since < startTime && startTime <= until;
      return isDue ? [{ action, due: startTime }] : [];
    }
    return timesBetween(recurrence, timeZone, since, Math.min(until, endTime)).map((due) => ({ action, due }));
  });
  return missed.toSorted((a, b) => a.due - b.due);
}

/** The sizes that an array would have, had they not been missed. */
export function madeUpFor(sizes: Sizes, missed: readonly Missed[]): Sizes {
  return missed.reduce(({ minSize, maxSize, desiredCapacity }, { action }) => {
    const now = { minSize: action.minSize ?? minSize, maxSize: action.maxSize ?? maxSize };
    const wanted = action.desiredCapacity ?? desiredCapacity;
    return { ...now, desiredCapacity: Math.min(Math.max(wanted, now.minSize), now.maxSize) };
  }, sizes);
}

/** Arrays whose scheduled actions a run has suspended, and the one that a row resumes. */
export interface Suspended {
  /** Name of the group that is resumed. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * Looks, before a row resumes an array, since when its actions have been suspended: by the old array, which is the first to
 * be. Undefined where nothing was missed.
 */
export async function suspendedBefore(
  row: Row,
  { from, to }: RunIdentity,
  { generations }: Outputs,
  { arrays }: Pick<Aws, "arrays">,
  signal: AbortSignal,
): Promise<Suspended | undefined> {
  const { resumes } = factsOf(row);
  const resumed = resumes === "none" ? undefined : generations[{ from, to }[resumes]]?.array;
  const first = generations[from]?.array ?? resumed;
  // What an operator had suspended was not the run's to miss.
  if (resumed === undefined || first === undefined || first.suspendedByOperator?.includes(process)) return undefined;
  const now = await arrays.find(first.name, signal);
  const since = now && suspendedSince(now);
  return since === undefined ? undefined : { name: resumed.name, since };
}

/** Makes up for what an array has missed. @returns a sentence for each action; empty where none fell due */
export async function makeUp(
  { name, since }: Suspended,
  { arrays }: Pick<Aws, "arrays">,
  signal: AbortSignal,
): Promise<string[]> {
  const missed = missedBetween(await arrays.scheduledActions(name, signal), since, Date.now());
  const now = await arrays.find(name, signal);
  if (missed.length === 0 || now === undefined) return [];
  const sizes = madeUpFor(now, missed);
  await arrays.setSizes(name, sizes, signal);
  const { minSize, maxSize, desiredCapacity } = sizes;
  return missed.map(
    ({ action, due }) =>
      `scheduled action ${action.name} fell due at ${new Date(due).toISOString()} while the run had suspended it, and is made up for: ${name} has minSize ${minSize}, maxSize ${maxSize}, desiredCapacity ${desiredCapacity}`,
  );
}
