import type { Listener, PhaseReport, PlannedOperation, RunEvent } from "../documents/events.ts";
import { countsOf, linesOf as operationsOf } from "../plan/lines.ts";
import { table } from "./table.ts";

/** So many different operations are told by name, more of them by number. */
const fewOperations = 4;

/** Progress for a person: a line per thing that happens, on standard error, so that standard output stays the result's. */
export function progressLines(write: (line: string) => void): Listener {
  return (event) => {
    for (const line of linesOf(event)) write(line);
  };
}

function linesOf(event: RunEvent): string[] {
  switch (event.type) {
    case "run-started":
      return [
        event.from === event.to
          ? `deploying ${event.to}`
          : `run ${event.run}: ${event.from} -> ${event.to}${event.resumed ? " (resumed)" : ""}`,
      ];
    case "phase-started":
      return [`${event.phase}: ${event.does}`];
    case "plan":
      return [
        `  plan ${event.digest.slice(0, 12)}: ${summary(event.operations)}${event.step === undefined ? "" : ` (step ${event.step})`}`,
      ];
    case "applied":
      return [`  applied in ${seconds(event.seconds)}`];
    case "output":
      return [`  | ${event.line}`];
    case "gate":
      return [
        `  ${event.verdict === "pass" ? "ok" : event.verdict}: ${event.gate} (${seconds(event.seconds)})${event.verdict === "pass" ? "" : ` ${JSON.stringify(event.evidence)}`}`,
      ];
    case "waiting":
      return [
        `  waiting for ${seconds(event.seconds)}: ${event.gate}, up to ${seconds(event.leftSeconds)} more${event.evidence === null ? "" : ` ${JSON.stringify(event.evidence)}`}`,
      ];
    case "phase-finished":
      return [`  done in ${seconds(event.seconds)}`];
    case "warning":
      return [`warning: ${event.message}`];
    case "failed":
      return [`  failed: ${event.message}`];
    case "rollback-started":
      return [`going back: ${event.reason}`];
    case "run-finished":
      return [];
  }
}

/** A table of phases with seconds and operations. */
export function phaseTable(phases: readonly PhaseReport[]): string[] {
  return table(
    ["phase", "seconds", "operations", "overhead s", "ledger s"],
    phases.map((phase) => [
      phase.name,
      phase.seconds.toFixed(1),
      String(phase.operations),
      phase.overheadSeconds.toFixed(1),
      phase.ledgerSeconds.toFixed(2),
    ]),
  );
}

function summary(operations: readonly PlannedOperation[]): string {
  const lines = operationsOf(operations);
  if (lines.length === 0 || lines.length > fewOperations) return countsOf(operations);
  return lines.map(({ op, type, names }) => `${op} ${type} ${names}`).join("; ");
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
