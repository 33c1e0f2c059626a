import type { Drive } from "./drive.ts";
import { recover } from "./recovery.ts";

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
