import type { StateResource } from "../engine/deployment.ts";
import type { Drive } from "./drive.ts";
import type { OpenStack } from "./open-stack.ts";
import { recover } from "./recovery.ts";
import type { RunLedger } from "./run-ledger.ts";

/** The parts of a drive that a repair needs. */
export interface Damage {
  readonly opened: Pick<OpenStack, "engine" | "aws">;
  readonly ledger: Pick<RunLedger, "lost" | "tell">;
  readonly options: Pick<Drive["options"], "signals">;
}

/**
 * Puts in order what an update left that was cut off, before anything else is done, and tells what it found.
 * @param forgotten see `CutShortError`
 */
export async function repair(
  { opened: { engine, aws }, ledger, options: { signals } }: Damage,
  forgotten: readonly StateResource[] = [],
): Promise<void> {
  const signal = AbortSignal.any([signals.stop, ledger.lost]);
  const { adopted, cleared } = await recover(engine, aws, signal, { forgotten });
  const warn = (message: string) => ledger.tell({ type: "warning", message });
  for (const { urn, id } of adopted)
    warn(`${id} was created by an update that was cut off; it is adopted as ${nameOf(urn)}`);
  for (const { urn, operation } of cleared)
    warn(`${operation} ${nameOf(urn)} was in flight when an update was cut off; it is done again`);
}

/** A resource's name in its URN. */
export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}
