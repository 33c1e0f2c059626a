import type { Config } from "../../stacks/config.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import type { LedgerRecord } from "../ledger/events.ts";
import { readJournal } from "../ledger/journal.ts";
import type { RunSummary } from "../ledger/runs.ts";
import { secondsOf } from "../run/credentials.ts";
import { ledgerOf, type Place } from "../run/run-ledger.ts";
import { factsOf, type Row, rowNames } from "../runbook/rows.ts";

/** An expected duration, in seconds: the median of the last runs that reached their goal. */
export interface Expected {
  readonly seconds: number;
  /** Number of runs behind it. With none it is what the configuration and AWS have it wait at least. */
  readonly runs: number;
  /** Of each phase; none for one of which nothing is known. */
  readonly phases: Readonly<Record<string, number>>;
}

const most = 5;

/** Undefined when no run reached its goal yet. @param runs the newest first @param events of each of them */
export function expectedOf(
  runs: readonly RunSummary[],
  events: readonly (readonly LedgerRecord[])[] = [],
): Expected | undefined {
  const seconds = runs.flatMap(({ outcome, started, finished }) =>
    outcome === "reached" && finished !== undefined ? [(Date.parse(finished) - Date.parse(started)) / 1000] : [],
  );
  const median = medianOf(seconds.slice(0, most));
  if (median === undefined) return undefined;
  const phases = rowNames.flatMap((row) => {
    const ofRow = medianOf(events.flatMap((records) => secondsOf(row, records) ?? []));
    return ofRow === undefined ? [] : [[row, ofRow] as const];
  });
  return { seconds: median, runs: Math.min(seconds.length, most), phases: Object.fromEntries(phases) };
}

/**
 * What rows of a run are expected to take: as in the last runs, if these had them all.
 * @param isWhole whether they are a run from its beginning to its end
 */
export function expectedFor(
  rows: readonly Row[],
  config: Config,
  last: Expected | undefined,
  isWhole: boolean,
): Expected {
  const each = rows.map((row) => [row, last?.phases[row] ?? factsOf(row).waits(config)] as const);
  const phases = Object.fromEntries(each.filter(([, seconds]) => seconds > 0));
  const sum = each.reduce((total, [, seconds]) => total + seconds, 0);
  if (last === undefined || !rows.every((row) => row in last.phases)) return { seconds: sum, runs: 0, phases };
  return { seconds: isWhole ? last.seconds : sum, runs: last.runs, phases };
}

/** From the stack's ledger; undefined when it has none. */
export async function expectedOn(place: Place): Promise<Expected | undefined> {
  const table = ledgerOf(place);
  try {
    const journal = readJournal(table);
    const reached = (await journal.runs()).filter(({ outcome }) => outcome === "reached").slice(0, most);
    return expectedOf(reached, await Promise.all(reached.map(({ run }) => journal.events(run))));
  } catch (error) {
    if (error instanceof LedgerMissingError) return undefined;
    throw error;
  } finally {
    table.client.destroy();
  }
}

function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
