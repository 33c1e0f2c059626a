import type { PhaseName } from "../../stacks/runbook.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineBusyError } from "../engine/end-engine.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import { type ExitCode, exitCodes, InterruptedError, isFullDisk, messageOf } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { type RunIdentity, wayBack } from "../runbook/updates.ts";
import { schemaAfter } from "../site-commands/command-states.ts";
import { CutOffError } from "../site-commands/run-commands.ts";
import type { Drive } from "./drive.ts";
import { ridingOut } from "./mend.ts";
import type { Walker } from "./walker.ts";

/** Why a run goes back, and the exit code when it got there: 0 where going back was the wish. */
export interface Why {
  readonly reason: string;
  readonly exitCode: ExitCode;
}

/** A run that goes back, and from where. */
export interface WayBack extends RunIdentity {
  readonly reached: PhaseName;
  /** Rows of the way back that are behind it already: what they put back is not undone by going through them again. */
  readonly back: readonly string[];
}

/** Traffic and addresses go back in one update; then what was launched drains and is removed. */
export async function putBack(
  drive: Drive,
  walker: Walker,
  run: WayBack,
  { reason, exitCode }: Why,
): Promise<RunResult> {
  const { session, ledger, options } = drive;
  const { stack, config } = session;
  const schema = schemaAfter(walker.commands.states, options.migration);
  if (schema !== "old" && config.upgrade.migrate?.reversible === false && options.acceptSchema !== true) {
    const message = `${reason}. The migrations are declared not reversible (handover:upgrade.migrate.reversible), so nothing was taken back. If ${run.from} works with the new schema: handover rollback --stack ${stack} --accept-schema`;
    return walker.finish("failed", exitCodes.needsPerson, { message });
  }
  options.listener({ type: "rollback-started", phase: run.reached, reason });
  await ledger.append({ type: "rollback-started", phase: run.reached, reason });
  try {
    await walker.commands.thawIfFrozen();
    // Until it is done users may meet what failed.
    for (const row of wayBack(run.reached, run.back)) await ridingOut(drive, walker, row);
    if (schema === "new") await walker.commands.undoMigrations();
    await ledger.append({ type: "run-finished", outcome: "rolled-back" });
    const kept =
      schema === "unknown"
        ? " Whether the migration took effect is not known, so nothing was undone in the database: look at it."
        : "";
    const message = `${reason}. ${run.from} serves, and ${run.to} is gone.${kept}`;
    return walker.finish("rolled-back", exitCode, { message });
  } catch (error) {
    if (options.signals.stop.aborted) return interrupted(drive, walker, run.reached);
    ledger.assertHeld();
    const mayGoOn = error instanceof EngineDiedError || error instanceof EngineBusyError || isFullDisk(error);
    if (mayGoOn || (error instanceof GateError && error.inconclusive)) {
      await ledger.append({ type: "paused", phase: run.reached, reason: "inconclusive" });
      const message = `${reason}. On the way back: ${ledger.redact(messageOf(error))}. Go on with it: handover resume --stack ${stack}`;
      return walker.finish("paused", exitCodes.paused, { message });
    }
    if (error instanceof CutOffError) {
      await ledger.append({ type: "paused", phase: "migrate", reason: "inconclusive" });
      return walker.finish("paused", exitCodes.paused, { message: `${reason}. ${error.message}. ${run.from} serves.` });
    }
    const message = `${reason}. Going back failed too: ${ledger.redact(messageOf(error))}. Look at what serves with \`handover status --stack ${stack}\`, then: handover rollback --stack ${stack}`;
    return walker.finish("failed", exitCodes.needsPerson, { message });
  }
}

/** The run was told to stop; it is on record where. */
export async function interrupted({ ledger, options }: Drive, walker: Walker, phase: PhaseName): Promise<RunResult> {
  const signal = String(options.signals.stop.reason);
  await ledger.append({ type: "interrupted", signal, phase });
  return walker.finish("interrupted", exitCodes.interrupted, { message: new InterruptedError(signal).message });
}
