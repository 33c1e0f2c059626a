import type { Outputs } from "../../stacks/outputs.ts";
import { isPhase, lastPhase, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import type { Outcome } from "../ledger/events.ts";
import { hasWayBack, reachedBy } from "../runbook/rows.ts";
import { lastByHand } from "../runbook/updates.ts";
import { applyEvent, type CommandStates } from "../site-commands/command-states.ts";
import type { UnfinishedRun } from "./unfinished-run.ts";

/** A run as the stack shows it: with `pulumi up`, a person may have begun it, gone on with it, ended it or gone back. */
export interface Standing {
  readonly run: UnfinishedRun;
  /** How it ended outside of Handover; undefined while there is something to do. */
  readonly ended?: Extract<Outcome, "reached" | "rolled-back" | "given-up">;
  /** The part that the ledger does not have: nothing, the steps that were made by hand, or the whole run. */
  readonly unrecorded: "nothing" | "steps" | "run";
}

/**
 * Where a run stands: the ledger knows what the driver did, and the stack's outputs whatever was done since.
 * @param newId of a run that the ledger does not have
 */
export function standingOf(
  begun: UnfinishedRun | undefined,
  outputs: Outputs | undefined,
  newId: () => string,
): Standing | undefined {
  const position = outputs?.run ?? null;
  if (begun === undefined)
    return position === null ? undefined : { run: stepped(fresh(position, newId()), position), unrecorded: "run" };
  if (outputs === undefined || position?.id === begun.id) return { run: begun, unrecorded: "nothing" };
  if (position !== null && position.from === begun.from && position.to === begun.to)
    return { run: stepped(begun, position), unrecorded: "steps" };
  const ended = endedByHand(begun, outputs);
  return { run: begun, unrecorded: "nothing", ...(ended !== undefined && { ended }) };
}

/** A run at the place to which it was stepped by hand; out of the runbook it is on its way back. */
function stepped(run: UnfinishedRun, position: NonNullable<Outputs["run"]>): UnfinishedRun {
  const reached = reachedBy(position.phase);
  const finished = phaseNames.slice(0, phaseNames.indexOf(reached));
  const onTheWay = isPhase(position.phase);
  return {
    ...run,
    finished,
    reached,
    lastPlanned: lastByHand(position),
    rollingBack: (run.rollingBack || !onTheWay) && hasWayBack(reached),
    back: [],
    commands: behind(finished).reduce(applyEvent, run.commands),
  };
}

/** The events of phases that a person has left behind. */
export function behind(finished: readonly PhaseName[]) {
  return finished.map((phase) => ({ type: "phase-finished", phase }) as const);
}

function fresh({ from, to }: NonNullable<Outputs["run"]>, id: string): UnfinishedRun {
  const nobody = { waitingFor: undefined, approved: new Set<string>(), asked: [] };
  const commands: CommandStates = {};
  return {
    id,
    from,
    to,
    finished: [],
    reached: undefined,
    rollingBack: false,
    back: [],
    changed: false,
    commands,
    ...nobody,
  };
}

/** The driver's own last updates are not by hand: those of the last phase, and the end of a way back. */
function endedByHand(
  { from, to, reached, rollingBack, changed }: UnfinishedRun,
  { live, run }: Outputs,
): Standing["ended"] {
  if (live === to) return reached === lastPhase && run === null ? undefined : "reached";
  if (live !== from) return "given-up";
  if (run === null && (rollingBack || !changed)) return undefined;
  return "rolled-back";
}
