import { ownerOf, types } from "../../stacks/names.ts";
import type { PhaseName } from "../../stacks/runbook.ts";
import { notSeenIn } from "../cloud/not-seen.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineBusyError } from "../engine/end-engine.ts";
import { CutShortError } from "../engine/engine-errors.ts";
import { NotPlannedError } from "../engine/plan.ts";
import { type ExitCode, exitCodes, explanationOf, isFullDisk, say, toType } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { isRefused } from "../runbook/policy.ts";
import { factsOf, phaseThat, type Row, type RunIdentity, settle } from "../runbook/rows.ts";
import { updatesOf, wayBack } from "../runbook/updates.ts";
import { schemaAfter } from "../site-commands/command-states.ts";
import { CutOffError } from "../site-commands/run-commands.ts";
import { addressesLast } from "./addresses-last.ts";
import { explainNotSeen } from "./blind.ts";
import type { Drive } from "./drive.ts";
import { isOfServers, restore, restoreWays, ShortError, thereOf } from "./restore.ts";
import { servingOf } from "./serving.ts";
import type { Ending, Walker } from "./walker.ts";

/** The reason why a run goes back, and its exit code when it got there: 0 where going back was the wish. */
export interface Why {
  readonly reason: string;
  readonly exitCode: ExitCode;
}

/** A run that goes back, and from where. */
export interface WayBack extends RunIdentity {
  readonly reached: PhaseName;
  /** Rows of the way back that are behind it already: going through them again would undo the later ones. */
  readonly back: readonly string[];
  /** Whether somebody wished it: nothing is known to be wrong with the new servers. Default: something is. */
  readonly isWish?: boolean;
}

/** Puts traffic and addresses back in one update; then what was launched drains and is removed. */
export async function putBack(
  drive: Drive,
  walker: Walker,
  run: WayBack,
  { reason, exitCode }: Why,
): Promise<RunResult> {
  const { opened, ledger, options } = drive;
  const { from, to, reached: phase } = run;
  const schema = schemaAfter(walker.commands.states, options.migration);
  if (schema !== "old" && opened.config.upgrade.migrate?.reversible === false && options.acceptSchema !== true) {
    const explanation = {
      happened: reason,
      state:
        "The migrations are declared not reversible (handover:upgrade.migrate.reversible), so nothing was taken back",
      first: `Make sure that ${from} works with the new schema`,
      next: toType("rollback", opened.stack, "--accept-schema"),
    };
    return walker.finish({ outcome: "failed", exitCode: exitCodes.needsPerson, phase, explanation });
  }
  const blind = await isBlind(drive);
  if (blind !== undefined) {
    const explanation = {
      ...{ happened: `${reason}. Nothing was taken back: ${blind.happened}`, first: blind.first },
      ...{ state: servingOf(walker.outputs), next: toType("rollback", opened.stack) },
    };
    const ending = { outcome: "paused", exitCode: exitCodes.paused, reason: "inconclusive", phase } as const;
    return walker.finish({ ...ending, explanation });
  }
  ledger.tell({ type: "rollback-started", phase, reason });
  await ledger.written();
  try {
    await walker.commands.thawIfFrozen();
    await restoreOld(drive, walker, run);
    const doubt = await rowsBack(walker, { ...run, isWish: exitCode === exitCodes.reached });
    if (schema === "new") await walker.commands.undoMigrations();
    const serves = `${from} serves, and ${to} is gone`;
    const unknown = "Whether the migration took effect is not known, so nothing was undone in the database: look at it";
    const states = [
      serves,
      ...(schema === "unknown" ? [unknown] : []),
      ...(doubt === undefined ? [] : [told(drive, doubt)]),
    ];
    return await walker.finish({
      outcome: "rolled-back",
      exitCode: doubt?.inconclusive === false ? exitCodes.needsPerson : exitCode,
      explanation: {
        happened: reason,
        state: states.join(". "),
        ...(doubt !== undefined
          ? { next: toType("status", opened.stack) }
          : exitCode !== exitCodes.reached && { next: toType("report", opened.stack) }),
      },
    });
  } catch (error) {
    if (options.signals.stop.aborted) return walker.interrupted(phase, toType("resume", opened.stack));
    if (notSeenIn(error) === undefined) ledger.assertHeld();
    return walker.finish(endingOf(drive, { ...run, serving: servingOf(walker.outputs) }, reason, error));
  }
}

/** Whether an error says nothing of the servers: whoever goes on may meet it no more. */
function isInconclusive(error: unknown): boolean {
  return (
    error instanceof NotPlannedError ||
    error instanceof CutShortError ||
    error instanceof EngineBusyError ||
    isFullDisk(error) ||
    notSeenIn(error) !== undefined ||
    (error instanceof GateError && error.inconclusive)
  );
}

/** Why nothing could be put back now, asked before anything says that it will be; undefined where AWS answers. */
async function isBlind({ opened, options }: Drive): Promise<ReturnType<typeof explainNotSeen>> {
  try {
    await opened.aws.identity(options.signals.stop);
    return undefined;
  } catch (error) {
    return explainNotSeen(error);
  }
}

/** Puts back what is missing of the old generation, or lets it serve without. @returns whether anything was missing */
async function restoreOld(drive: Drive, walker: Walker, run: WayBack): Promise<boolean> {
  try {
    return await restore(drive, walker, run.from);
  } catch (error) {
    // An update was cut off, so the stack is in no row: what is missing comes with the next one of the way back.
    if (isRefused(error)) return true;
    throw error instanceof ShortError ? await serveWithout(drive, walker, run, error) : error;
  }
}

/**
 * Goes back row by row; until it is done users may meet what failed.
 * @returns the gates that did not pass when one generation was alone again: there is nothing left to go back from
 */
async function rowsBack(walker: Walker, run: WayBack): Promise<GateError | undefined> {
  const { from, reached } = run;
  const back = [...run.back];
  for (const row of wayBack(reached, back)) {
    try {
      await rowBack(walker, row, { ...run, back });
    } catch (error) {
      const { run: last, generations = {} } = walker.outputs ?? {};
      const alone = last === null && Object.keys(generations).every((name) => name === from);
      if (row === settle && alone && error instanceof GateError) return error;
      throw error;
    }
    back.push(row);
  }
  return undefined;
}

/** One row, and once more where it failed because somebody took something from the old generation meanwhile. */
async function rowBack(walker: Walker, row: Row, run: WayBack): Promise<void> {
  const { drive } = walker;
  if (row === settle) {
    await restoreWays(drive, walker, run.from);
    await restoreOld(drive, walker, run);
    return walker.phaseOutliving(row);
  }
  const phase = async () => {
    const short = factsOf(row).resumes === "from" ? await addressesLast(drive, walker, run, row) : [];
    await walker.phaseOutliving(row, { left: await thereOf(drive, run), short });
  };
  try {
    await phase();
  } catch (error) {
    if (!isOfServers(error) || !(await restoreOld(drive, walker, run))) throw error;
    await phase();
  }
}

/** Old servers that can serve take traffic and their addresses back without those that cannot. @returns what is left to do */
async function serveWithout(
  drive: Drive,
  walker: Walker,
  { from, to, reached, back }: WayBack,
  error: ShortError,
): Promise<unknown> {
  const { there: left, short } = error;
  const rows = wayBack(reached, back).filter((row) => row !== settle);
  const { run, generations, addresses } = walker.outputs ?? {};
  const isBegun = rows.some((row) => row === run?.phase && (run.step ?? 0) > 1);
  const old = left.filter((name) => ownerOf(types.instance, name) === from);
  if (rows.length === 0 || isBegun || old.every((name) => short.includes(name))) return error;
  const { shape } = drive.opened;
  const waiting = drive.ledger.redact(error.explanation.happened);
  drive.ledger.tell({ type: "warning", message: `${waiting}. What can serve without it takes over first` });
  try {
    for (const row of rows) {
      const [first = { row }] = updatesOf(shape, row);
      await walker.without({ ...first, left, short }, from);
    }
  } catch (problem) {
    if (drive.options.signals.stop.aborted || isInconclusive(problem)) return problem;
    const why = drive.ledger.redact(explanationOf(problem).happened);
    return error.since(`The others could not take over either: ${why}. ${servingOf(walker.outputs)}`);
  }
  const moved = walker.outputs?.addresses ?? addresses ?? [];
  const kept = new Set(
    (walker.outputs?.generations ?? generations)?.[to]?.frontends.map(({ instanceId }) => instanceId),
  );
  const stay = moved.flatMap(({ publicIp, instanceId }) => (kept.has(instanceId) ? [publicIp] : []));
  const where = stay.length === 0 ? "" : `, and ${stay.join(", ")} is answered by ${to}`;
  return error.since(`${servingOf(walker.outputs)} without it${where}, whose servers stay until then`);
}

function told({ ledger }: Drive, { inconclusive, explanation }: GateError): string {
  const doubt = inconclusive ? "What could not be seen from here since" : "But since then a check fails";
  return `${doubt}: ${ledger.redact(explanation.happened)}`;
}

/** The end of a run that could not go all the way back. */
function endingOf(
  { opened, ledger }: Drive,
  { from, reached, serving }: WayBack & { readonly serving: string },
  reason: string,
  error: unknown,
): Ending {
  const { stack } = opened;
  const paused = { outcome: "paused", exitCode: exitCodes.paused, phase: reached } as const;
  const problem = { ...explanationOf(error), ...explainNotSeen(error) };
  // Where servers are missing, the state of things is told as such.
  const said =
    error instanceof ShortError ? problem.happened : say({ happened: problem.happened, state: problem.state });
  const happened = `${reason}. On the way back: ${ledger.redact(said)}`;
  if (error instanceof CutOffError) {
    const explanation = { happened, state: `${from} serves`, or: problem.or };
    return { ...paused, phase: phaseThat("migrates"), reason: "needs-person", explanation };
  }
  const explanation = { happened, first: problem.first, next: toType("resume", stack) };
  if (error instanceof ShortError)
    return { ...paused, reason: "needs-person", explanation: { ...explanation, state: problem.state } };
  if (isInconclusive(error))
    return { ...paused, reason: "inconclusive", explanation: { ...explanation, state: serving } };
  const first = problem.first ?? `Look at what serves with: ${toType("status", stack)}`;
  const state = "Going back has not ended";
  return {
    outcome: "failed",
    exitCode: exitCodes.needsPerson,
    phase: reached,
    explanation: { ...explanation, state, first },
  };
}
