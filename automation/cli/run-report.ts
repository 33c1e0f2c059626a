import type { DocumentOf } from "../documents/documents.ts";
import { isRecord } from "../ledger/canonical.ts";
import type { Json, LedgerEvent, LedgerOperation, LedgerRecord } from "../ledger/events.ts";
import { differences } from "../plan/differences.ts";
import { findingsIn } from "../run/warnings.ts";

/** A run as a person asks for it afterwards: what, who, when, each phase with its evidence, and how it ended. */
export type RunReport = Omit<DocumentOf<"report">, "version">;
type Phase = RunReport["phases"][number];
type Happening = RunReport["happenings"][number];

/** @param records all events of one run, in order. @throws TypeError when the first is not its start */
export function runReport(records: readonly LedgerRecord[]): RunReport {
  const [first] = records;
  const last = records.at(-1);
  if (first?.event.type !== "run-started" || last === undefined) throw new TypeError("a run begins with run-started");
  const { run, from, to, by, command, inputs } = first.event;
  const ending = last.event.type === "run-finished" ? last.event : undefined;
  return {
    run,
    from,
    to,
    by: by ?? null,
    command,
    started: first.time,
    ended: ending === undefined ? null : last.time,
    outcome: ending?.outcome ?? null,
    seconds: secondsBetween(first.time, last.time),
    // Secret ones are `[secret]` or a digest in the ledger already.
    inputs: differences(members(inputs.before), members(inputs.after)),
    phases: phasesOf(records),
    happenings: records.flatMap(({ time, event }) => {
      if (event.type === "baseline") {
        const isFirst = event === records.find((record) => record.event.type === "baseline")?.event;
        return findingsIn(event, { from, to }, isFirst ? undefined : `${to} had traffic`).map((what) => ({
          time,
          what,
        }));
      }
      return happening(time, event) ?? [];
    }),
  };
}

/** While it is collected. */
interface Collected {
  readonly name: string;
  readonly back: boolean;
  readonly started: string;
  until: string;
  finished: boolean;
  readonly operations: LedgerOperation[];
  omitted: number;
  readonly gates: Phase["gates"][number][];
}

/** A phase that was begun again (a resumed run, a step) right after itself is one phase. */
function phasesOf(records: readonly LedgerRecord[]): Phase[] {
  const phases: Collected[] = [];
  let back = false;
  for (const { time, event } of records) {
    if (event.type === "rollback-started") back = true;
    if (event.type === "phase-started" && (phases.at(-1)?.name !== event.phase || phases.at(-1)?.back !== back)) {
      const lists = { operations: [], gates: [] };
      phases.push({ name: event.phase, back, started: time, until: time, finished: false, omitted: 0, ...lists });
    }
    // The next phase's plan is made before this one's gates have passed.
    const phase = "phase" in event ? phases.findLast(({ name }) => name === event.phase) : undefined;
    if (phase !== undefined) collect(phase, time, event);
  }
  return phases.map(({ until, started, ...phase }) => ({ ...phase, started, seconds: secondsBetween(started, until) }));
}

function collect(phase: Collected, time: string, event: LedgerEvent): void {
  if (event.type === "applied") {
    phase.operations.push(...event.operations);
    phase.omitted += event.omitted ?? 0;
  } else if (event.type === "gate") {
    const { gate, verdict, evidence, seconds } = event;
    phase.gates.push({ gate, verdict, evidence, seconds });
  } else if (event.type === "phase-finished") {
    phase.finished = true;
  } else if (event.type !== "phase-started") {
    return;
  }
  phase.until = time;
}

/** Incidents beside the phases, in words. */
function happening(time: string, event: LedgerEvent): Happening | undefined {
  switch (event.type) {
    case "interrupted":
      return { time, what: `interrupted by ${event.signal}${event.phase === undefined ? "" : ` in ${event.phase}`}` };
    case "paused":
      return {
        time,
        what:
          event.reason === "approval"
            ? `waited for approval before ${event.phase}`
            : `paused in ${event.phase}: the evidence was inconclusive, or a person was needed`,
      };
    case "approved":
      return { time, what: `${event.by} approved ${event.phase}, plan ${event.digest.slice(0, 12)}` };
    case "rollback-started":
      return { time, what: `went back from ${event.phase}: ${event.reason}` };
    case "command-finished":
      return event.by === undefined
        ? undefined
        : { time, what: `${event.by} said that the command of ${event.purpose} is complete` };
    default:
      return undefined;
  }
}

function members(value: Json): Readonly<Record<string, Json>> {
  return isRecord(value) ? value : {};
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
