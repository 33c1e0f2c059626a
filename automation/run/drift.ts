import { setTimeout as sleep } from "node:timers/promises";
import type { Drive } from "./drive.ts";

/**
 * Tells what somebody changed in the cloud beside the run; a plan would change it back, and the policy refuses that. What
 * AWS shows may be how things were, or not yet be there: the state takes nothing from a single look.
 */
export async function tellDrift({ opened: { engine, aws }, ledger, options: { signals } }: Drive): Promise<void> {
  const signal = AbortSignal.any([signals.cancel, ledger.lost]);
  const before = await engine.state.export();
  let drift = await engine.refreshAll(signal);
  if (drift.length > 0) {
    await engine.state.import(before);
    await sleep(aws.absentSeconds * 1000, undefined, { signal });
    drift = await engine.refreshAll(signal);
  }
  for (const { op, type, name, properties } of drift) {
    const message = `drift: ${type} ${name}: ${op === "delete" ? "is gone" : properties.join(", ")}`;
    ledger.tell({ type: "warning", message });
  }
}
