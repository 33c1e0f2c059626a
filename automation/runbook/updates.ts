import { isTrafficFirst, type SiteShape } from "../../stacks/intent.ts";
import { type Outputs, withoutAddress } from "../../stacks/outputs.ts";
import { lastPhase, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import type { Position } from "../engine/position.ts";
import {
  factsOf,
  type LastPlanned,
  type Row,
  type RunIdentity,
  type RunShape,
  rowNames,
  settle,
  type Update,
} from "./rows.ts";

/** The phases of a run on a site: no backup without a database, no address moves without addresses. */
export function phasesOf(run: RunShape): PhaseName[] {
  return phaseNames.filter((name) => factsOf(name).exists(run));
}

/**
 * The way back from a phase that was begun: traffic and addresses first, then what was launched is removed.
 * @param behind rows of it whose gates have passed already; going through them again would undo the later ones
 */
export function wayBack(reached: PhaseName, behind: readonly string[] = []): Row[] {
  const { back } = factsOf(reached);
  if (back === "no way") throw new Error(`There is no way back from ${reached}.`);
  return [...back.filter((row) => !behind.includes(row)), settle];
}

/** The step in which a stack that was stepped by hand stands, by its outputs; without one it stands in the last. */
export function lastByHand({ phase, step }: NonNullable<Outputs["run"]>): LastPlanned {
  return { row: phase, step: step ?? Number.POSITIVE_INFINITY };
}

/**
 * A row's updates in their order; a row that is a command has none.
 * @param last where a run goes on: applying an earlier step again would take back what a later one has done
 * @param short old servers whose addresses come back once the traffic has: where there are none, no update is for them.
 * Default: some may be
 */
export function updatesOf(shape: SiteShape, row: Row, last?: LastPlanned, short?: readonly string[]): Update[] {
  const { updates, resumes } = factsOf(row);
  const count = updates(shape);
  if (count === 1) return [{ row }];
  const first = last?.row === row ? Math.min(last.step, count) : 1;
  const steps = Array.from({ length: Math.max(0, count - first + 1) }, (_, index) => first + index);
  const isForAddresses = (step: number) => resumes === "from" && isTrafficFirst(shape) && step === 2;
  return steps.filter((step) => short?.length !== 0 || !isForAddresses(step)).map((step) => ({ row, step }));
}

/** The configuration's overrides that place an update in the runbook; none when one generation shall be alone. */
export function positionOf({ row, step, left, short }: Update, { id, from, to, atOnce }: RunIdentity): Position {
  const phase = factsOf(row).intent;
  if (phase === "none") return { live: from, run: { id, from, to: from } };
  return {
    live: to,
    phase,
    step,
    run: { id, from, to, ...(left && { left }), ...(short && { short }), ...(atOnce && { atOnce }) },
  };
}

/** The update that the stack has had last, which changes nothing where nothing is missing. */
export function lastUpdate(
  { live, run, generations, addresses }: Pick<Outputs, "live" | "run" | "generations" | "addresses">,
  { from, to }: Pick<RunIdentity, "from" | "to">,
): Update {
  // Alone it is the run's goal, or where the run came from.
  if (run === null) return { row: live === to && from !== to ? lastPhase : settle };
  const row = rowNames.find((name) => name === run.phase) ?? settle;
  const old = generations[run.from]?.frontends.map(({ name }) => name);
  const left = factsOf(row).sessions === "ended one by one" ? old : undefined;
  const short = shortIn(row, { run, generations, addresses });
  return {
    row,
    ...(run.step != null && { step: run.step }),
    ...(left !== undefined && { left }),
    ...(short.length > 0 && { short }),
  };
}

/** Old servers whose addresses stayed with the new ones on the way back. */
function shortIn(
  row: Row,
  { run, generations, addresses }: Pick<Outputs, "run" | "generations" | "addresses">,
): string[] {
  if (run === null || factsOf(row).resumes !== "from") return [];
  return withoutAddress({ generations, addresses }, run.from);
}
