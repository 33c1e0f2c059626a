import type { PhaseName } from "../../stacks/runbook.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import { exitCodes, HandoverError, isFullDisk, messageOf } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { type LastPlanned, phasesOf, type RunIdentity } from "../runbook/updates.ts";
import type { CommandStates } from "../site-commands/command-states.ts";
import { ThawError } from "../site-commands/freeze.ts";
import { CutOffError } from "../site-commands/run-commands.ts";
import { ApprovalNeeded } from "./approval-needed.ts";
import { type Drive, walkerOf } from "./drive.ts";
import { interrupted, putBack } from "./put-back.ts";
import type { Walker } from "./walker.ts";
import { warningsOf } from "./warnings.ts";

/** How far a run got before. */
export interface Progress {
  readonly finished: readonly PhaseName[];
  /** The furthest phase that was begun. */
  readonly reached?: PhaseName;
  /** The update that was planned last, where its row has several. */
  readonly lastPlanned?: LastPlanned | undefined;
  /** Phases for whose plan a person was asked, and digests of plans that a person approved. */
  readonly asked: readonly string[];
  readonly approved: ReadonlySet<string>;
  /** How the site's commands ended. */
  readonly commands: CommandStates;
}

/** Walks the phases that are left. What fails on the way is put back. */
export async function walk(drive: Drive, run: RunIdentity, progress: Progress): Promise<RunResult> {
  const { session, ledger, options } = drive;
  const walker = walkerOf(drive, run, progress.commands);
  options.listener({
    type: "run-started",
    run: run.id,
    from: run.from,
    to: run.to,
    resumed: progress.finished.length > 0,
  });
  for (const message of warningsOf(session.config, run)) options.listener({ type: "warning", message });
  const left = phasesOf(session, run).filter((phase) => !progress.finished.includes(phase));
  let phase: PhaseName = left[0] ?? "retire";
  try {
    await walker.commands.thawIfFrozen();
    for (const [index, name] of left.entries()) {
      phase = name;
      await walker.phase(name, {
        lastPlanned: progress.lastPlanned,
        next: left.slice(index + 1).find((next) => next !== "migrate"),
        needsApproval: ({ digest }) => mustAsk(drive, progress, name) && !progress.approved.has(digest),
        isApproved: (digest) => progress.approved.has(digest),
      });
    }
    await ledger.append({ type: "run-finished", outcome: "reached" });
    return walker.finish("reached", exitCodes.reached);
  } catch (error) {
    const reached = left.filter((name) => walker.begun.has(name)).at(-1) ?? progress.reached ?? "backup";
    return stopped(drive, walker, { ...run, phase, reached }, error);
  }
}

/** Once asked for, an approval is not avoided by resuming without the option. */
function mustAsk({ session, options }: Drive, { asked }: Progress, phase: PhaseName): boolean {
  const phases = [...session.config.upgrade.pauseBefore, ...(options.pauseBefore ?? []), ...asked];
  return options.autoApprove !== true && phases.includes(phase);
}

interface Stopped extends RunIdentity {
  /** Where it stopped, and the furthest phase of which something may be in effect. */
  readonly phase: PhaseName;
  readonly reached: PhaseName;
}

/** What follows from an error: a pause where nothing is proven, the way back where there is one, else a person. */
async function stopped(drive: Drive, walker: Walker, run: Stopped, error: unknown): Promise<RunResult> {
  const { session, ledger, options } = drive;
  const { stack, config } = session;
  const { phase, reached } = run;
  // An interrupt must not hide that a database may be frozen.
  if (options.signals.stop.aborted && !(error instanceof ThawError)) return interrupted(drive, walker, phase);
  if (error instanceof ApprovalNeeded) {
    const { digest } = error;
    await ledger.append({ type: "paused", phase, reason: "approval", digest });
    const message = `${error.message}. The site serves as it is. Go on with: handover approve --stack ${stack} --digest ${digest} && handover resume --stack ${stack}`;
    return walker.finish("paused", exitCodes.paused, { message, digest });
  }
  // Somebody else works on the stack now: neither record nor touch anything.
  ledger.assertHeld();
  const reason = ledger.redact(messageOf(error));
  options.listener({ type: "failed", phase, message: reason });
  if (error instanceof ThawError || (error instanceof HandoverError && error.code === "plan-refused")) {
    // The way back would meet the same: a person puts the database, the cloud or the configuration in order first.
    await ledger.append({ type: "paused", phase, reason: "inconclusive" });
    return walker.finish("failed", exitCodes.needsPerson, { message: `${reason} --stack ${stack}` });
  }
  if (error instanceof CutOffError) {
    await ledger.append({ type: "paused", phase, reason: "inconclusive" });
    const message = `${reason}. Or back, and nothing in the database is undone: \`handover rollback --stack ${stack}\`. Nothing was launched, ${run.from} serves.`;
    return walker.finish("paused", exitCodes.paused, { message });
  }
  // What cannot be planned or seen is no evidence against the new servers.
  const unplanned = error instanceof HandoverError && error.code === "preview-failed";
  const unproven =
    error instanceof EngineDiedError || isFullDisk(error) || (error instanceof GateError && error.inconclusive);
  if (unplanned || unproven || config.upgrade.onFailure === "pause") {
    await ledger.append({ type: "paused", phase, reason: "inconclusive" });
    const message = `${reason}. Nothing was taken back. Go on with \`handover resume --stack ${stack}\`, or back with \`handover rollback --stack ${stack}\`.`;
    return walker.finish("paused", exitCodes.paused, { message });
  }
  if (reached === "retire") {
    const message = `${reason}. ${run.to} serves and the old servers are being removed, so there is no way back. Look at the cause, then: handover resume --stack ${stack}`;
    return walker.finish("failed", exitCodes.needsPerson, { message });
  }
  return putBack(drive, walker, { ...run, back: [] }, { reason, exitCode: exitCodes.rolledBack });
}
