import { firstPhase, lastPhase, type PhaseName } from "../../stacks/runbook.ts";
import { notSeenIn } from "../cloud/not-seen.ts";
import type { RunResult } from "../documents/events.ts";
import { CutShortError } from "../engine/engine-errors.ts";
import { NotPlannedError } from "../engine/plan.ts";
import { exitCodes, explanationOf, HandoverError, isFullDisk, say, toType } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import type { Baseline } from "../ledger/events.ts";
import { isRefused } from "../runbook/policy.ts";
import { factsOf, hasWayBack, type LastPlanned, type RunIdentity } from "../runbook/rows.ts";
import { phasesOf } from "../runbook/updates.ts";
import type { CommandStates } from "../site-commands/command-states.ts";
import { ThawError } from "../site-commands/freeze.ts";
import { CutOffError } from "../site-commands/run-commands.ts";
import { ApprovalNeeded } from "./approval-needed.ts";
import { driveAfter, takeBaseline } from "./before.ts";
import { explainNotSeen } from "./blind.ts";
import type { Drive } from "./drive.ts";
import { putBack } from "./put-back.ts";
import { isOfServers, restore, restoreWays, ShortError } from "./restore.ts";
import { servingOf } from "./serving.ts";
import { readSuspensions } from "./suspensions.ts";
import { type Ending, type PhaseOptions, Walker } from "./walker.ts";
import { warningsOf } from "./warnings.ts";

/** A run's progress so far. */
export interface Progress {
  readonly finished: readonly PhaseName[];
  /** The furthest phase that was begun. */
  readonly reached?: PhaseName;
  /** The update that was planned last, where its row has several. */
  readonly lastPlanned?: LastPlanned | undefined;
  /** Phases for whose plan a person was asked, and digests of plans that a person approved. */
  readonly asked: readonly string[];
  readonly approved: ReadonlySet<string>;
  /** The site before the run. Default: nobody has looked yet. */
  readonly baseline?: Baseline | undefined;
  /** The ends of the site's commands. */
  readonly commands: CommandStates;
}

/** Walks the phases that are left. A failure on the way is put back. */
export async function walk(driven: Drive, run: RunIdentity, progress: Progress): Promise<RunResult> {
  const { ledger } = driven;
  const { id, from, to } = run;
  ledger.tell({ type: "run-started", run: id, from, to, resumed: progress.finished.length > 0 });
  for (const message of warningsOf(driven.opened.config, run)) ledger.tell({ type: "warning", message });
  const drive = driveAfter(driven, progress.baseline ?? (await takeBaseline(driven, run)));
  const { opened } = drive;
  const walker = new Walker(drive, run, progress.commands);
  const left = phasesOf({ ...opened, from, to }).filter((phase) => !progress.finished.includes(phase));
  let phase = left[0] ?? lastPhase;
  try {
    await walker.commands.thawIfFrozen();
    await restoreWays(drive, walker, to, left[0] === lastPhase ? [to] : [from, to]);
    await readSuspensions(drive, walker.outputs);
    // From here on there is nothing else to serve, so what is missing is not a reason to go back.
    if (progress.reached !== undefined && !hasWayBack(progress.reached)) await restore(drive, walker, to);
    for (const [index, name] of left.entries()) {
      phase = name;
      if (factsOf(name).givesTraffic) await walker.lookAgain();
      // Nothing has asked for them since they were moved, and old servers that have them would take them along.
      if (name === lastPhase) await restoreWays(drive, walker, to);
      await phaseToTheEnd(walker, name, to, {
        lastPlanned: progress.lastPlanned,
        next: left.slice(index + 1).find((next) => factsOf(next).updates(opened.shape) > 0),
        needsApproval: ({ digest }) => mustAsk(drive, progress, name) && !progress.approved.has(digest),
        isApproved: (digest) => progress.approved.has(digest),
      });
    }
    return await walker.finish({ outcome: "reached", exitCode: exitCodes.reached });
  } catch (error) {
    const reached = left.filter((name) => walker.begun.has(name)).at(-1) ?? progress.reached ?? firstPhase;
    return stopped(walker, { ...run, phase, reached }, error);
  }
}

/** One phase; where there is no way back, once more if it failed because somebody took something meanwhile. */
async function phaseToTheEnd(walker: Walker, name: PhaseName, to: string, options: PhaseOptions): Promise<void> {
  const { drive } = walker;
  try {
    await walker.phase(name, options);
  } catch (error) {
    if (hasWayBack(name) || !isOfServers(error)) throw error;
    const missing = [await restoreWays(drive, walker, to), await restore(drive, walker, to)];
    if (!missing.includes(true)) throw error;
    // What is left of the phase is part of what was approved.
    await walker.phase(name, { ...options, needsApproval: () => false });
  }
}

/** Once asked for, an approval is not avoided by resuming without the option. */
function mustAsk({ opened, options, baseline }: Drive, { asked }: Progress, phase: PhaseName): boolean {
  const oldIsDown = baseline?.down === true && opened.config.upgrade.whenOldIsDown === "pause";
  if (oldIsDown && factsOf(phase).givesTraffic && options.autoApprove !== true) return true;
  const phases = [...opened.config.upgrade.pauseBefore, ...(options.pauseBefore ?? []), ...asked];
  return options.autoApprove !== true && phases.includes(phase);
}

interface Stopped extends RunIdentity {
  /** Where it stopped, and the furthest phase of which something may be in effect. */
  readonly phase: PhaseName;
  readonly reached: PhaseName;
}

/** Ends a run in which an error stopped a phase: it waits where nothing is proven, and goes back where that is possible. */
async function stopped(walker: Walker, run: Stopped, error: unknown): Promise<RunResult> {
  const { drive } = walker;
  const { opened, ledger, options } = drive;
  const { phase } = run;
  // An interrupt must not hide that a database may be frozen.
  if (options.signals.stop.aborted && !(error instanceof ThawError))
    return walker.interrupted(phase, toType("resume", opened.stack));
  // Once somebody else works on the stack, neither record nor touch anything; a pause touches nothing.
  if (!(error instanceof ApprovalNeeded) && notSeenIn(error) === undefined) ledger.assertHeld();
  const ending = endingOf(drive, { ...run, serving: servingOf(walker.outputs) }, error);
  const reason = ledger.redact(say({ ...explanationOf(error), ...explainNotSeen(error) }));
  if (ending?.reason !== "approval") ledger.tell({ type: "failed", phase, message: reason });
  if (ending !== undefined) return walker.finish({ ...ending, phase });
  return putBack(drive, walker, { ...run, back: [] }, { reason, exitCode: exitCodes.rolledBack });
}

/** The end that follows from an error; undefined where the run goes back. */
function endingOf(
  { opened, ledger }: Drive,
  run: Stopped & { readonly serving: string },
  error: unknown,
): Ending | undefined {
  const { stack, config } = opened;
  const resume = toType("resume", stack);
  const back = { to: "go back", type: toType("rollback", stack) };
  const { happened, ...rest } = { ...explanationOf(error), ...explainNotSeen(error) };
  const explanation = { happened: ledger.redact(happened), ...rest };
  const paused = { outcome: "paused", exitCode: exitCodes.paused } as const;
  const failed = { outcome: "failed", exitCode: exitCodes.needsPerson } as const;
  if (error instanceof ApprovalNeeded) {
    const { digest } = error;
    const next = `${toType("approve", stack, "--digest", digest)} && ${resume}`;
    const state = "The site serves as it is";
    return { ...paused, reason: "approval", digest, explanation: { ...explanation, state, next } };
  }
  // The way back would meet the same: a person puts the database, the cloud or the configuration in order first.
  if (error instanceof ThawError || isRefused(error)) {
    const reason = error instanceof ThawError ? "needs-person" : "refused";
    return { ...failed, reason, explanation: { ...explanation, next: resume } };
  }
  if (error instanceof CutOffError) {
    const state = `${explanation.state}. Nothing was launched, ${run.from} serves`;
    const or = [...(explanation.or ?? []), { ...back, to: "go back, with nothing undone in the database" }];
    return { ...paused, reason: "needs-person", explanation: { ...explanation, state, or } };
  }
  if (error instanceof ShortError)
    return { ...paused, reason: "needs-person", explanation: { ...explanation, next: resume } };
  if (isUnproven(error) || config.upgrade.onFailure === "pause") {
    const state = `Nothing was taken back: ${run.serving}`;
    const or = hasWayBack(run.reached) ? [back] : [];
    return { ...paused, reason: "inconclusive", explanation: { ...explanation, state, next: resume, or } };
  }
  if (hasWayBack(run.reached)) return undefined;
  const state = `${run.to} serves and the old servers are being removed, so there is no way back`;
  return { ...failed, explanation: { ...explanation, state, first: "Look at the cause", next: resume } };
}

/** Whether an error is no evidence against the new servers: something could not be planned or seen. */
export function isUnproven(error: unknown): boolean {
  const unplanned = error instanceof HandoverError && error.code === "preview-failed";
  const inconclusive = error instanceof GateError && error.inconclusive;
  return (
    unplanned ||
    error instanceof NotPlannedError ||
    inconclusive ||
    error instanceof CutShortError ||
    isFullDisk(error) ||
    notSeenIn(error) !== undefined
  );
}
