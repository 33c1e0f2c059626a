import { LedgerMissingError } from "../ledger/errors.ts";
import { readJournal } from "../ledger/journal.ts";
import type { RunSummary } from "../ledger/runs.ts";
import { ledgerOf, type Place } from "../run/run-ledger.ts";

/** A run's expected duration: the median of the last runs that reached their goal. */
export interface Expected {
  readonly seconds: number;
  /** Number of runs behind it. */
  readonly runs: number;
}

const most = 5;

/** Undefined when no run reached its goal yet. @param runs the newest first */
export function expectedOf(runs: readonly RunSummary[]): Expected | undefined {
  const seconds = runs
    .flatMap(({ outcome, started, finished }) =>
      outcome === "reached" && finished !== undefined ? [(Date.parse(finished) - Date.parse(started)) / 1000] : [],
    )
    .slice(0, most)
    .sort((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)];
  return median === undefined ? undefined : { seconds: median, runs: seconds.length };
}

/** From the stack's ledger; undefined when it has none. */
export async function expectedOn(place: Place): Promise<Expected | undefined> {
  const table = ledgerOf(place);
  try {
    return expectedOf(await readJournal(table).runs());
  } catch (error) {
    if (error instanceof LedgerMissingError) return undefined;
    throw error;
  } finally {
    table.client.destroy();
  }
}
