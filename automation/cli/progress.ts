import type { Listener, PhaseReport, PlannedOperation, RunEvent } from "../documents/events.ts";
import { countsOf, linesOf as operationsOf } from "../plan/lines.ts";
import { table } from "./table.ts";
import { paint } from "./terminal.ts";

/** So many different operations are told by name, more of them by number. */
const fewOperations = 4;

/** How much of a run is told. */
export interface Detail {
  /** Every look of every gate with its evidence, and every operation by name. */
  readonly verbose?: boolean;
  /** Phases, warnings and what goes wrong. */
  readonly quiet?: boolean;
  /** Puts the time of day before each line. Default: in CI, whose logs are read afterwards. */
  readonly timed?: boolean;
}

/** What is told with `--quiet`. */
const important: readonly RunEvent["type"][] = [
  "run-started",
  "phase-started",
  "warning",
  "failed",
  "rollback-started",
];

/**
 * Progress for a person: a line per thing that happens, on standard error, so that standard output stays the result's. A gate
 * that holds again while nothing else happens is counted, in one line for all of them.
 */
export function progressLines(write: (line: string) => void, detail: Detail = {}): Listener {
  const { verbose = false, quiet = false, timed = Boolean(process.env.CI) } = detail;
  const tell = (line: string) => write(timed ? `${new Date().toISOString().slice(11, 19)} ${line}` : line);
  let held = new Map<string, Held>();
  return (event) => {
    if (quiet && !important.includes(event.type)) return;
    if (event.type === "gate" && event.verdict === "pass" && !verbose) {
      const { times = 0, seconds: before = 0 } = held.get(event.gate) ?? {};
      held.set(event.gate, { times: times + 1, seconds: Math.max(before, event.seconds) });
      if (times > 0) return;
    } else if (event.type !== "waiting") {
      const again = [...held].filter(([, { times }]) => times > 1);
      held = new Map();
      if (again.length > 0) tell(`  ${paint("green", "held")}: ${again.map(heldText).join(", ")}`);
    }
    for (const line of linesOf(event, verbose)) tell(line);
  };
}

/** How often a gate has held in a row, and how long its last look took. */
interface Held {
  readonly times: number;
  readonly seconds: number;
}

function heldText([gate, { times, seconds: longest }]: [string, Held]): string {
  return `${gate} (${times} times, at most ${seconds(longest)})`;
}

function linesOf(event: RunEvent, verbose: boolean): string[] {
  switch (event.type) {
    case "run-started":
      return [
        event.from === event.to
          ? `deploying ${event.to}`
          : `run ${event.run}: ${event.from} -> ${event.to}${event.resumed ? " (resumed)" : ""}`,
      ];
    case "phase-started":
      return [`${paint("bold", event.phase)}: ${event.does}`];
    case "plan":
      return [
        `  plan ${event.digest.slice(0, 12)}: ${summary(event.operations)}${event.step === undefined ? "" : ` (step ${event.step})`}`,
        ...(verbose ? operationsOf(event.operations).map(({ op, type, names }) => `    ${op} ${type} ${names}`) : []),
      ];
    case "applied":
      return [`  applied in ${seconds(event.seconds)}`];
    case "output":
      return [`  | ${event.line}`];
    case "gate":
      return [
        `  ${verdict(event.verdict)}: ${event.gate} (${seconds(event.seconds)})${event.verdict === "pass" && !verbose ? "" : ` ${JSON.stringify(event.evidence)}`}`,
      ];
    case "waiting":
      return [
        `  waiting for ${seconds(event.seconds)}: ${event.gate}, up to ${seconds(event.leftSeconds)} more${event.evidence === null ? "" : ` ${JSON.stringify(event.evidence)}`}`,
      ];
    case "phase-finished":
      return [`  done in ${seconds(event.seconds)}`];
    case "warning":
      return [`${paint("yellow", "warning")}: ${event.message}`];
    case "failed":
      return [`  ${paint("red", "failed")}: ${event.message}`];
    case "rollback-started":
      return [`${paint("red", "going back")}: ${event.reason}`];
    case "run-finished":
      return [];
  }
}

function verdict(verdict: "pass" | "fail" | "inconclusive"): string {
  if (verdict === "pass") return paint("green", "ok");
  return paint(verdict === "fail" ? "red" : "yellow", verdict);
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
