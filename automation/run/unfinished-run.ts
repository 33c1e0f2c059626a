import { isAfter, isPhase, type PhaseName } from "../../stacks/runbook.ts";
import type { Baseline, LedgerEvent, LedgerRecord } from "../ledger/events.ts";
import { readJournal } from "../ledger/journal.ts";
import { factsOf, type LastPlanned } from "../runbook/rows.ts";
import { applyEvent, type CommandStates } from "../site-commands/command-states.ts";
import { ledgerOf, type Place } from "./run-ledger.ts";

/** A run that was begun and has not ended, as the ledger has it. */
export interface UnfinishedRun {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Phases whose gates have passed. */
  readonly finished: readonly PhaseName[];
  /** The phase that was begun last. */
  readonly reached: PhaseName | undefined;
  /** The update that was planned last, where its row has several. */
  readonly lastPlanned?: LastPlanned | undefined;
  /** Whether it was on its way back. */
  readonly rollingBack: boolean;
  /** The phase that waits, when the last thing that happened is a pause, and the plan that waits for approval. */
  readonly waitingFor: { readonly phase: string; readonly digest?: string } | undefined;
  /** Digests of plans that a person approved. */
  readonly approved: ReadonlySet<string>;
  /** Phases for whose plan a person was asked. */
  readonly asked: readonly string[];
  /** Rows of the way back whose gates have passed. */
  readonly back: readonly string[];
  /** Whether an update of it was applied, or what it goes on from was made by hand. */
  readonly changed: boolean;
  /** The site before the run; undefined when nobody looked. */
  readonly baseline?: Baseline | undefined;
  /** The ends of the site's commands. */
  readonly commands: CommandStates;
}

/** Where a run stands, from its events; undefined when it has ended. */
export function unfinishedRun(records: readonly LedgerRecord[]): UnfinishedRun | undefined {
  const events = records.map(({ event }) => event);
  const begin = events.find((event) => event.type === "run-started");
  if (begin === undefined || events.at(-1)?.type === "run-finished") return undefined;
  const planned = new Set(events.flatMap((event) => (event.type === "plan" ? [event.digest] : [])));
  const turn = events.findIndex((event) => event.type === "rollback-started");
  return {
    id: begin.run,
    from: begin.from,
    to: begin.to,
    finished: events.reduce(finishedAfter, []),
    reached: events
      .flatMap((event) => (event.type === "phase-started" && isPhase(event.phase) ? event.phase : []))
      .at(-1),
    lastPlanned: events
      .flatMap((event) =>
        event.type === "plan" && event.step !== undefined ? [{ row: event.phase, step: event.step }] : [],
      )
      .at(-1),
    rollingBack: turn >= 0,
    back: turn < 0 ? [] : events.slice(turn).flatMap((event) => (event.type === "phase-finished" ? [event.phase] : [])),
    waitingFor:
      events.findLast((event) => event.type === "paused" || event.type === "approved" || event.type === "phase-started")
        ?.type === "paused"
        ? events.findLast((event) => event.type === "paused")
        : undefined,
    asked: events.flatMap((event) =>
      event.type === "paused" &&
      event.reason === "approval" &&
      (isCommand(event.phase) || planned.has(event.digest ?? ""))
        ? [event.phase]
        : [],
    ),
    approved: new Set(events.flatMap((event) => (event.type === "approved" ? [event.digest] : []))),
    changed: events.some(
      (event) => event.type === "applied" || (event.type === "phase-finished" && launches(event.phase)),
    ),
    baseline: baselineIn(events),
    commands: events.reduce(applyEvent, {}),
  };
}

/** A phase that is begun again, as somebody who went back by hand does, is not behind the run any more. */
function finishedAfter(finished: readonly PhaseName[], event: LedgerEvent): readonly PhaseName[] {
  if (event.type === "phase-finished" && isPhase(event.phase)) return [...finished, event.phase];
  if (event.type !== "phase-started" || !isPhase(event.phase)) return finished;
  const { phase } = event;
  return finished.filter((name) => isAfter(phase, name));
}

function launches(phase: string): boolean {
  return isPhase(phase) && !factsOf(phase).givesUp;
}

/** Everything that was found before the new generation had traffic. */
function baselineIn(events: readonly LedgerEvent[]): Baseline | undefined {
  const looks = events.flatMap((event) => (event.type === "baseline" ? [event] : []));
  const [first] = looks;
  return first && { down: first.down, unseen: first.unseen, bad: looks.flatMap(({ bad }) => bad) };
}

/** Whether a person approves the phase by its command. */
function isCommand(phase: string): boolean {
  return isPhase(phase) && factsOf(phase).approves === "command";
}

/** The stack's newest run, if it has not ended. */
export async function begunRun(place: Place): Promise<UnfinishedRun | undefined> {
  const table = ledgerOf(place);
  try {
    const journal = readJournal(table);
    const [newest] = await journal.runs();
    if (newest === undefined || newest.finished !== undefined) return undefined;
    return unfinishedRun(await journal.events(newest.run));
  } finally {
    table.client.destroy();
  }
}
