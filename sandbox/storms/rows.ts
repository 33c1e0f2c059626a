import { factsOf, type Row, settle } from "../../automation/runbook/rows.ts";
import { isAfter, isPhase, lastPhase, type PhaseName, phaseNames, readmit, withdraw } from "../../stacks/runbook.ts";
import type { Moment, Storm } from "./storm.ts";
import { storms } from "./storms.ts";

const moments = ["before", "during", "after"] as const;

/** One thing that happens beside a run. */
export interface StormRow {
  readonly event: string;
  readonly phase: Row;
  readonly moment: Moment;
}

const wayBack: readonly Row[] = [readmit, withdraw, settle];
const givesTraffic = phaseNames.find((name) => factsOf(name).givesTraffic) ?? lastPhase;

/** Where the site stands in a phase. */
export function stageOf(phase: Row): "before traffic" | "with traffic" | "back" {
  if (!isPhase(phase)) return "back";
  return isAfter(givesTraffic, phase) ? "before traffic" : "with traffic";
}

export const allRows: readonly StormRow[] = storms.flatMap((storm) =>
  [...phaseNames, ...wayBack]
    .filter((phase) => storm.inPhase(phase))
    .flatMap((phase) => momentsOf(phase, storm).map((moment): StormRow => ({ event: storm.name, phase, moment }))),
);

/** A row that only runs a command has no plan, and one that ends servers no gates beside. */
function momentsOf(phase: Row, { moment }: Storm): readonly Moment[] {
  if (moment !== undefined) return [moment];
  return factsOf(phase).approves === "command" ? ["before"] : moments;
}

/** `launch-first/during old server terminated` */
export function nameOf({ event, phase, moment }: StormRow): string {
  return `${phase}/${moment} ${event}`;
}

/** Each kind of event in each phase, and each event in each stage and at each moment. */
export function pairsOf({ event, phase, moment }: StormRow): string[] {
  const { kind } = stormOf(event);
  return [`${kind} ${phase}`, `${event} ${stageOf(phase)}`, `${event} ${moment}`];
}

export function stormOf(event: string): Storm {
  const storm = storms.find(({ name }) => name === event);
  if (storm === undefined) throw new Error(`There is no event "${event}".`);
  return storm;
}

/** The phase before which a run is paused that then goes back through this row. */
export function turnsBefore(phase: Row): PhaseName | undefined {
  if (isPhase(phase)) return undefined;
  // Only a run whose old servers are out of the pool admits them again.
  const admits = phaseNames.find((name) => factsOf(name).back[0] === readmit);
  return phase === readmit ? lastPhase : admits;
}
