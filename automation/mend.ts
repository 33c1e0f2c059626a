import type { Drive } from "./drive.ts";
import { EngineDiedError } from "./engine.ts";
import type { GatedRow } from "./gates/of-row.ts";
import { recover } from "./recovery.ts";
import type { Walker } from "./walker.ts";

/** What a killed engine left is put in order before anything else is done. */
export async function mend({ session: { engine, aws }, ledger, options: { listener, signals } }: Drive): Promise<void> {
  const nameOf = (urn: string) => urn.split("::").at(-1);
  const { adopted, cleared } = await recover(engine, aws, AbortSignal.any([signals.stop, ledger.lost]));
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
