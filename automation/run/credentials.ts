import { NotSeenError, remedies } from "../cloud/not-seen.ts";
import type { LedgerRecord } from "../ledger/events.ts";
import { readJournal } from "../ledger/journal.ts";
import { factsOf, type Row } from "../runbook/rows.ts";
import type { OpenStack } from "./open-stack.ts";
import { ledgerOf } from "./run-ledger.ts";

/** What an update takes that nothing is known of, in seconds. */
const leastSeconds = 60;

/**
 * The credentials outlive the row, by what it took last time, or by what the configuration has it wait for.
 * @throws NotSeenError before anything of the row is begun
 */
export async function checkCredentials(opened: OpenStack, row: Row): Promise<void> {
  const end = await opened.aws.credentialsEnd();
  if (end === undefined) return;
  const waits = leastSeconds + factsOf(row).waits(opened.config);
  const seconds = Math.ceil((await lastSeconds(opened, row)) ?? waits);
  const left = Math.floor((end.getTime() - Date.now()) / 1000);
  if (left >= seconds) return;
  throw new NotSeenError("credentials", {
    happened: `The credentials end ${left > 0 ? `in ${left} s` : "now"} (${end.toISOString()}), and ${row} takes about ${seconds} s, so it was not begun`,
    first: remedies.credentials,
  });
}

async function lastSeconds(opened: OpenStack, row: Row): Promise<number | undefined> {
  const table = ledgerOf(opened);
  try {
    const journal = readJournal(table);
    const last = (await journal.runs()).find(({ outcome }) => outcome === "reached");
    return last && secondsOf(row, await journal.events(last.run));
  } catch {
    return undefined;
  } finally {
    table.client.destroy();
  }
}

/** From the beginning of the row to the end of its gates; undefined where it was not in the run. */
export function secondsOf(row: Row, records: readonly LedgerRecord[]): number | undefined {
  const at = (type: "phase-started" | "phase-finished") =>
    records.find(({ event }) => event.type === type && event.phase === row)?.time;
  const [started, finished] = [at("phase-started"), at("phase-finished")];
  return started === undefined || finished === undefined
    ? undefined
    : (Date.parse(finished) - Date.parse(started)) / 1000;
}
