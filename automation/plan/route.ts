import { type Config, ConfigError } from "../../stacks/config.ts";
import type { SiteShape } from "../../stacks/intent.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { firstPhase, isPhase, type PhaseName } from "../../stacks/runbook.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { standingOf } from "../run/standing.ts";
import type { UnfinishedRun } from "../run/unfinished-run.ts";
import { hasWayBack, type LastPlanned, type Row, type RunIdentity, settle } from "../runbook/rows.ts";
import { phasesOf, wayBack } from "../runbook/updates.ts";

/** The facts of a stack before anything is planned. */
export interface Standing {
  readonly config: Config;
  readonly shape: SiteShape;
  readonly last: LastOutputs | undefined;
  /** The run that was begun and has not ended. */
  readonly begun: UnfinishedRun | undefined;
}

/** Which rows a run would apply. */
export interface Route {
  readonly identity: RunIdentity;
  /** Applied before the ones that are shown. */
  readonly behind: readonly Row[];
  readonly rows: readonly Row[];
  /** The update with which the first row begins, where the row has several and the run has planned one. */
  readonly lastPlanned?: LastPlanned | undefined;
}

/**
 * The rows that `handover upgrade` would apply from where the stack stands; with `rollbackFrom` those of going back
 * after that phase.
 * @throws ConfigError or HandoverError when there is no such way
 */
export function routeOf(standing: Standing, rollbackFrom?: PhaseName): Route {
  const ahead = routeAhead(standing);
  if (rollbackFrom === undefined) return ahead;
  const { identity, rows, lastPlanned } = ahead;
  const index = rows.indexOf(rollbackFrom);
  if (index < 0 || !hasWayBack(rollbackFrom)) {
    const possible = rows.filter((row) => isPhase(row) && hasWayBack(row));
    throw new HandoverError(
      "no-way-back",
      exitCodes.usage,
      `--rollback-from: there is no way back from ${rollbackFrom} here; it may be one of ${possible.join(", ") || "none, for no run is ahead"}. Nothing was changed.`,
    );
  }
  return { identity, behind: rows.slice(0, index + 1), rows: wayBack(rollbackFrom), lastPlanned };
}

function routeAhead({ config, shape, last, begun }: Standing): Route {
  const goal = config.live;
  const standing = standingOf(begun, last?.outputs, () => "plan");
  if (standing !== undefined && standing.ended === undefined) {
    const { run } = standing;
    const { from, to, reached, finished, back } = run;
    const identity = { id: run.id, from, to };
    if (goal === from || run.rollingBack) {
      const furthest = reached ?? firstPhase;
      if (!hasWayBack(furthest)) throw noWayBack(from, to);
      return { identity, behind: [], rows: wayBack(furthest, back) };
    }
    if (goal !== to) {
      throw new ConfigError([
        `handover:live: a run from ${from} to ${to} has not ended, and the goal is ${goal}; finish it or go back first, and then plan the way to ${goal}`,
      ]);
    }
    const rows = phasesOf({ config, shape, from, to }).filter((row) => !finished.includes(row));
    return { identity, behind: [], rows, lastPlanned: run.lastPlanned };
  }
  const from = last?.outputs.live ?? goal;
  if (from === goal) return { identity: { id: "deploy", from: goal, to: goal }, behind: [], rows: [settle] };
  const identity = { id: "plan", from, to: goal };
  return { identity, behind: [], rows: phasesOf({ config, shape, from, to: goal }) };
}

/** The goal was reverted after old servers had begun to leave. */
function noWayBack(from: string, to: string): ConfigError {
  return new ConfigError([
    `handover:live: the run from ${from} to ${to} has begun to remove the servers of ${from}, so there is no way back; set it to ${to} and finish the run, and then plan the way to ${from}`,
  ]);
}
