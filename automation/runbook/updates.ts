import type { Config } from "../../stacks/config.ts";
import { type SiteShape, stepsOf } from "../../stacks/intent.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { isAfter, type PhaseName, phaseNames, runbook, withdraw } from "../../stacks/runbook.ts";
import type { Position } from "../engine/position.ts";
import { type GatedRow, readmit } from "./gates.ts";

/** Who goes where. */
export interface RunIdentity {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

/** One update of the engine. */
export interface Update {
  readonly row: GatedRow;
  /** Where the row has several. */
  readonly step?: number;
  /** Old servers, by name, that `retire` leaves for now. Default: none. */
  readonly left?: readonly string[];
}

/** The phases that a site has: no backup without a database, no address moves without addresses. */
export function phasesOf(
  { shape, config }: { readonly shape: SiteShape; readonly config: Config },
  { from, to }: Pick<RunIdentity, "from" | "to">,
): PhaseName[] {
  const arrays = [from, to].some((name) => config.generations[name]?.array !== undefined);
  const skipped: Partial<Record<PhaseName, boolean>> = {
    backup: !shape.database,
    migrate: config.upgrade.migrate === undefined,
    "launch-rest": config.generations[to]?.frontends === 1,
    "suspend-array": !arrays,
    "resume-array": !arrays,
    "move-addresses": shape.elasticIps === 0,
  };
  return phaseNames.filter((name) => skipped[name] !== true);
}

/**
 * The way back from a phase that was begun: traffic and addresses first, then what was launched is removed.
 * @param behind rows of it whose gates have passed already; going through them again would undo the later ones
 */
export function wayBack(reached: PhaseName, behind: readonly string[] = []): GatedRow[] {
  const rows: GatedRow[] = [];
  // Deregistered servers must be healthy again before traffic comes back to them.
  if (reached === "drain") rows.push(readmit);
  if (isAfter(reached, "launch-rest")) rows.push(withdraw);
  return [...rows.filter((row) => !behind.includes(row)), "settle"];
}

/** The update that a run planned last: those of its row before it are behind the run, and so are their gates. */
export interface LastPlanned {
  readonly row: string;
  readonly step: number;
}

/** A stack that was stepped by hand stands in the step that its outputs name; without one it stands in the last. */
export function lastByHand({ phase, step }: NonNullable<Outputs["run"]>): LastPlanned {
  return { row: phase, step: step ?? Number.POSITIVE_INFINITY };
}

/**
 * A row's updates in their order; `migrate` is a command and has none.
 * @param last where a run goes on: applying an earlier step again would take back what a later one has done
 */
export function updatesOf(shape: SiteShape, row: GatedRow, last?: LastPlanned): Update[] {
  if (row === "migrate") return [];
  const steps = row === "settle" || row === readmit ? 1 : stepsOf(shape, row);
  if (steps === 1) return [{ row }];
  const first = last?.row === row ? Math.min(last.step, steps) : 1;
  return Array.from({ length: steps - first + 1 }, (_, index) => ({ row, step: first + index }));
}

/** The keys that place an update in the runbook; none when one generation shall be alone. */
export function positionOf({ row, step, left }: Update, { id, from, to }: RunIdentity): Position {
  if (row === "settle") return { live: from, run: { id, from, to: from } };
  const phase = row === readmit ? "observe" : row;
  return { live: to, phase, step, run: { id, from, to, ...(left !== undefined && { left }) } };
}

/** What a row does, in words. */
export function descriptionOf(row: GatedRow): string {
  if (row === withdraw) return "puts traffic and addresses back, and takes the new servers out of the pool";
  if (row === readmit) return "registers the old servers again, before traffic comes back to them";
  if (row === "settle") return "leaves one generation alone";
  return runbook.find(({ name }) => name === row)?.does ?? "";
}
