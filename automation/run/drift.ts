import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../engine/engine.ts";
import type { Drift } from "../engine/operation.ts";
import type { Drive } from "./drive.ts";

/**
 * Reads the whole stack from the cloud into its state. What AWS shows may be how things were, or not yet be there: the
 * state takes nothing from a single look.
 * @param absentSeconds time after which AWS shows what was just changed
 */
export async function readDrift(
  engine: Pick<Engine, "state" | "refreshAll">,
  absentSeconds: number,
  signal: AbortSignal,
): Promise<readonly Drift[]> {
  const before = await engine.state.export();
  const drift = await engine.refreshAll(signal);
  if (drift.length === 0) return drift;
  await engine.state.import(before);
  await sleep(absentSeconds * 1000, undefined, { signal });
  return engine.refreshAll(signal);
}

/** Tells what somebody changed in the cloud beside the run; a plan would change it back, and the policy refuses that. */
export async function tellDrift({ opened: { engine, aws }, ledger, options: { signals } }: Drive): Promise<void> {
  const signal = AbortSignal.any([signals.cancel, ledger.lost]);
  const drift = await readDrift(engine, aws.absentSeconds, signal);
  for (const { op, type, name, properties } of drift) {
    const message = `drift: ${type} ${name}: ${op === "delete" ? "is gone" : properties.join(", ")}`;
    ledger.tell({ type: "warning", message });
  }
}
