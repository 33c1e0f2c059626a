import type { Applied } from "../engine/engine.ts";
import { CutShortError } from "../engine/engine-errors.ts";
import type { Plan } from "../engine/plan.ts";
import { messageOf } from "../errors.ts";
import type { Drive } from "./drive.ts";
import { nameOf, repair } from "./repair.ts";

/**
 * Applies a plan. What an update that was cut off had asked for is looked for at once: nobody else would know.
 * @throws what `Engine.up` throws
 */
export async function applyPlan(
  damage: Pick<Drive, "opened" | "ledger" | "options">,
  plan: Plan,
  cancel: AbortSignal,
): Promise<Applied> {
  const { opened, ledger } = damage;
  try {
    return await opened.engine.up(plan, cancel);
  } catch (error) {
    if (!(error instanceof CutShortError) || error.forgotten.length === 0) throw error;
    await repair(damage, error.forgotten).catch((reason) => {
      const names = error.forgotten.map(({ urn }) => nameOf(urn)).join(", ");
      const message = `${names} may have been created, and could not be looked for: ${ledger.redact(messageOf(reason))}. Look for what has this run's tag handover:run and is not in the stack`;
      ledger.tell({ type: "warning", message });
    });
    throw error;
  }
}
