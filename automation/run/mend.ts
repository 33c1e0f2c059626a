import type { StateResource } from "../engine/deployment.ts";
import type { Applied, Plan } from "../engine/engine.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import { messageOf } from "../errors.ts";
import type { GatedRow } from "../runbook/gates.ts";
import type { Drive, DriveOptions } from "./drive.ts";
import type { Session } from "./open-stack.ts";
import { recover } from "./recovery.ts";
import type { RunLedger } from "./run-ledger.ts";
import type { Walker } from "./walker.ts";

/** The parts of a drive that mending needs. */
export interface Place {
  readonly session: Pick<Session, "engine" | "aws">;
  readonly ledger: Pick<RunLedger, "lost" | "redact">;
  readonly options: Pick<DriveOptions, "listener" | "signals">;
}

/**
 * What a killed engine left is put in order before anything else is done.
 * @param forgotten see `EngineDiedError`
 */
export async function mend(
  { session: { engine, aws }, ledger, options: { listener, signals } }: Place,
  forgotten: readonly StateResource[] = [],
): Promise<void> {
  const nameOf = (urn: string) => urn.split("::").at(-1);
  const { adopted, cleared } = await recover(engine, aws, AbortSignal.any([signals.stop, ledger.lost]), { forgotten });
  for (const { urn, id } of adopted) {
    listener({
      type: "warning",
      message: `${id} was created by the run that was killed; it is adopted as ${nameOf(urn)}`,
    });
  }
  for (const { urn, operation } of cleared) {
    listener({
      type: "warning",
      message: `${operation} ${nameOf(urn)} was in flight when the run was killed; it is done again`,
    });
  }
}

/**
 * Applies a plan. What the provider had been asked to create when it died is looked for at once: nobody else would know.
 * @throws EngineDiedError, and what `Engine.up` throws
 */
export async function applyPlan(place: Place, plan: Plan, cancel: AbortSignal): Promise<Applied> {
  try {
    return await place.session.engine.up(plan, cancel);
  } catch (error) {
    if (!(error instanceof EngineDiedError) || error.forgotten.length === 0) throw error;
    const { ledger, options } = place;
    await mend(place, error.forgotten).catch((reason) => {
      const names = error.forgotten.map(({ urn }) => urn.split("::").at(-1)).join(", ");
      const message = `${names} may have been created, and could not be looked for: ${ledger.redact(messageOf(reason))}. Look for what has this run's tag handover:run and is not in the stack`;
      options.listener({ type: "warning", message });
    });
    throw error;
  }
}

/**
 * One row that does not wait for a person when the engine dies in the middle of it: what that left is mended, and the
 * row applied again. Once; a second death is for whoever goes on.
 * @throws EngineDiedError
 */
export async function ridingOut(drive: Drive, walker: Walker, row: GatedRow): Promise<void> {
  try {
    await walker.phase(row);
  } catch (error) {
    if (!(error instanceof EngineDiedError) || drive.options.signals.stop.aborted) throw error;
    drive.options.listener({ type: "warning", message: `${drive.ledger.redact(error.message)} ${row} is done again` });
    await mend(drive);
    await walker.phase(row);
  }
}
