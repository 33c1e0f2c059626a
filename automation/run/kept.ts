import type { RunEvent, RunResult } from "../documents/events.ts";
import type { Json, LedgerEvent } from "../ledger/events.ts";
import { settle } from "../runbook/rows.ts";

/**
 * The part of an event that the ledger keeps; undefined for what only the screen shows. A phase is on record as started
 * by the walker, right before its first effect: what was only planned needs no way back.
 */
export function keptOf(event: RunEvent): LedgerEvent | undefined {
  switch (event.type) {
    case "plan":
    case "applied": {
      const operations = event.operations.map(({ op, type, name }) => ({ op, type, name }));
      const { phase, step } = event;
      if (event.type === "applied") return { type: "applied", phase, operations, seconds: event.seconds };
      return { type: "plan", phase, ...(step !== undefined && { step }), digest: event.digest, operations };
    }
    case "gate": {
      const { type, phase, gate, verdict, evidence, seconds } = event;
      return { type, phase, gate, verdict, evidence: evidence as Json, seconds };
    }
    case "phase-finished":
      return { type: event.type, phase: event.name };
    case "rollback-started":
      return { type: event.type, phase: event.phase, reason: event.reason };
    case "run-finished":
      return endOf(event);
    case "run-started":
    case "phase-started":
    case "output":
    case "waiting":
    case "warning":
    case "failed":
      return undefined;
  }
}

/** A run that only stopped is on record as waiting, so that it can be resumed. */
function endOf({ outcome, phase = settle, reason = "needs-person", digest, signal = "" }: RunResult): LedgerEvent {
  switch (outcome) {
    case "reached":
    case "rolled-back":
      return { type: "run-finished", outcome };
    case "aborted":
      return { type: "run-finished", outcome: "given-up" };
    case "interrupted":
      return { type: "interrupted", signal, phase };
    case "paused":
    case "failed":
      return { type: "paused", phase, reason, ...(digest !== undefined && { digest }) };
  }
}
