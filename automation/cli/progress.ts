import type { Listener, PhaseReport, RunEvent } from "../documents/events.ts";
import { table } from "./table.ts";

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

function summary(operations: readonly { readonly op: string }[]): string {
  if (operations.length === 0) return "no changes";
  const counts = new Map<string, number>();
  for (const { op } of operations) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => `${count} ${op}`).join(", ");
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
