import type { Outputs } from "../../stacks/outputs.ts";
import { backendName } from "../engine/backend.ts";
import { exitCodes, HandoverError, toType } from "../errors.ts";
import type { SiteRecord } from "../ledger/site-record.ts";

/** A stack's state, beside what the site's ledger knows of it. */
export interface KnownState {
  readonly stack: string;
  readonly outputs: Pick<Outputs, "siteId" | "lastRun" | "ledgerTable">;
  /** Undefined where no run has written one yet. */
  readonly record: SiteRecord | undefined;
  /** Ids of the ledger's runs, the newest first. */
  readonly runs: () => Promise<readonly string[]>;
}

/**
 * The state is the site's, and no run has changed another copy of it since: a state that was exported into a second
 * backend, or restored from a backup, says of servers what is no longer so.
 * @throws HandoverError (exit 1) before anything is changed
 */
export async function checkState({ stack, outputs, record, runs }: KnownState): Promise<void> {
  if (record === undefined) return;
  const { siteId, lastRun, ledgerTable } = outputs;
  const state = "Nothing was changed";
  const next = toType("doctor", stack);
  const first = `Name the site's own backend, ${record.backend}, with PULUMI_BACKEND_URL, \`backend\` in Pulumi.yaml or pulumi login`;
  if (record.id !== undefined && siteId !== undefined && record.id !== siteId) {
    const happened = `Table ${ledgerTable} is of site ${record.id}, and the state in ${backendName()} is of site ${siteId}`;
    throw new HandoverError("another-site", exitCodes.usage, { happened, state, first, next });
  }
  if (lastRun === undefined || lastRun === record.run) return;
  const newestFirst = await runs();
  const [ofState, ofRecord] = [newestFirst.indexOf(lastRun), newestFirst.indexOf(record.run)];
  // Killed between the two writes, a run is in the state and not in the record yet.
  if (ofRecord === -1 || (ofState !== -1 && ofState < ofRecord)) return;
  const seen = lastRun === neverRun ? "no run yet" : `run ${lastRun} last`;
  throw new HandoverError("another-state", exitCodes.usage, {
    happened: `The state in ${backendName()} is older than the site: it has seen ${seen}, and run ${record.run} has changed the site since, from ${record.backend}`,
    state,
    first,
    next,
    or: [{ to: "go on with this state, once it is as the site is", type: toType("upgrade", stack, "--accept-state") }],
  });
}

/** In place of a run, in a state that no run has changed yet. */
export const neverRun = "none";
