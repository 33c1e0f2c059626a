import type { LedgerEvent, Purpose } from "../ledger/events.ts";
import { phaseThat } from "../runbook/rows.ts";

/** `cut-off`: it was begun, and nobody saw how it ended. */
export type CommandState = "done" | "failed" | "cut-off";

/** The ends of a run's commands so far; one that was never begun is missing. */
export type CommandStates = Readonly<Partial<Record<Purpose, CommandState>>>;

/** A person's word on a command that was cut off: it is complete, or is to be run once more. */
export type Ruling = "done" | "again";

/** The states after an event. */
export function applyEvent(states: CommandStates, event: LedgerEvent): CommandStates {
  if (event.type === "command-started") {
    const { thaw, ...others } = states;
    // What is frozen again must be thawed again.
    return { ...(event.purpose === "freeze" ? others : states), [event.purpose]: "cut-off" };
  }
  // By hand, or by a person's word.
  if (event.type === "phase-finished" && event.phase === phaseThat("migrates")) return { ...states, migrate: "done" };
  if (event.type !== "command-finished") return states;
  const { purpose, exitCode } = event;
  return { ...states, [purpose]: exitCode === null ? "cut-off" : exitCode === 0 ? "done" : "failed" };
}

/** Whether a freeze was begun and no thaw has succeeded since. */
export function isFrozen({ freeze, thaw }: CommandStates): boolean {
  return freeze !== undefined && thaw !== "done";
}

/** A command that must run once is run, is skipped since it is done, or a person must say. */
export function once(
  state: CommandState | undefined,
  { idempotent, ruling }: { readonly idempotent: boolean; readonly ruling: Ruling | undefined },
): "run" | "skip" | "ask" {
  if (state === undefined) return "run";
  if (state === "done" || ruling === "done") return "skip";
  return idempotent || ruling === "again" ? "run" : "ask";
}

/** The database's schema, as far as is known. A migration that failed took nothing with it: that is its author's part. */
export function schemaAfter(states: CommandStates, ruling: Ruling | undefined): "old" | "new" | "unknown" {
  const { migrate, "undo-migrations": undone } = states;
  if (migrate !== "cut-off") return migrate === "done" ? "new" : "old";
  return ruling === "done" || undone !== undefined ? "new" : "unknown";
}
