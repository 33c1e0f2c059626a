import { paginateQuery, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { broken, unseal, type Verification, verify } from "./chain.ts";
import { LedgerUnreadableError } from "./errors.ts";
import type { LedgerRecord } from "./events.ts";
import { parseSummary, type RunSummary } from "./runs.ts";
import { type Item, type LedgerTable, request, sortable, text } from "./table.ts";

/** Reads the ledger without the lease: strongly consistent, and through all pages. */
export interface JournalReader {
  /** The events of a run, or of all runs, in order. Empty if the run is unknown. @throws {LedgerUnreadableError} */
  events(run?: string): Promise<LedgerRecord[]>;
  /** All runs, the newest first. */
  runs(): Promise<RunSummary[]>;
  /** The newest event. */
  last(): Promise<LedgerRecord | undefined>;
  /** Checks every event, and that the last one is the one that was recorded last; see `verify`. */
  verify(): Promise<Verification>;
}

/** Reads the journal. Each method throws `LedgerMissingError` if there is no table yet. */
export function readJournal(table: LedgerTable): JournalReader {
  const runs = async () => (await query(table, { pk: "runs", newestFirst: true })).map(parseSummary);
  const summaryOf = async (run: string) => (await runs()).find((summary) => summary.run === run);
  return {
    runs,
    async events(run) {
      const summary = run === undefined ? undefined : await summaryOf(run);
      if (run !== undefined && summary === undefined) return [];
      const range = summary && ([summary.first, summary.last] as const);
      const items = await query(table, { pk: "journal", ...(range ? { range } : {}) });
      return items.map(parseRecord);
    },
    async last() {
      const [item] = await query(table, { pk: "journal", newestFirst: true, limit: 1 });
      return item && parseRecord(item);
    },
    async verify() {
      const [newest] = await query(table, { pk: "runs", newestFirst: true, limit: 1 });
      const records: LedgerRecord[] = [];
      for (const item of await query(table, { pk: "journal" })) {
        try {
          records.push(parseRecord(item));
        } catch (error) {
          // What stands before it may be wrong too, and then that is the first.
          const before = verify(records, { first: 1 });
          return before.ok ? broken("altered", Number(item.sk?.S), (error as Error).message) : before;
        }
      }
      const head = newest ? parseSummary(newest) : undefined;
      return verify(records, { first: 1, head: { sequence: head?.last ?? 0, hash: head?.hash ?? "" } });
    },
  };
}

/** The newest run, which is where the next event goes. */
export async function newestRun(table: LedgerTable): Promise<RunSummary | undefined> {
  const [item] = await query(table, { pk: "runs", newestFirst: true, limit: 1 });
  return item && parseSummary(item);
}

export function parseRecord(item: Item): LedgerRecord {
  const entry = item.sk?.S ?? "?";
  try {
    const record = unseal(text(item, "body"), text(item, "hash"));
    if (sortable(record.sequence) !== entry) throw new Error(`it says that it is event ${record.sequence}`);
    return record;
  } catch (cause) {
    throw new LedgerUnreadableError(entry, { cause });
  }
}

interface Query {
  readonly pk: "journal" | "runs";
  /** Sequence numbers, both included. */
  readonly range?: readonly [number, number];
  readonly newestFirst?: boolean;
  readonly limit?: number;
}

async function query(table: LedgerTable, { pk, range, newestFirst = false, limit }: Query): Promise<Item[]> {
  const input: QueryCommandInput = {
    TableName: table.tableName,
    KeyConditionExpression: range ? "pk = :pk AND sk BETWEEN :from AND :to" : "pk = :pk",
    ExpressionAttributeValues: {
      ":pk": { S: pk },
      ...(range ? { ":from": { S: sortable(range[0]) }, ":to": { S: sortable(range[1]) } } : {}),
    },
    ScanIndexForward: !newestFirst,
    ConsistentRead: true,
    ...(limit === undefined ? {} : { Limit: limit }),
  };
  return await request("Reading the ledger", table, async () => {
    const items: Item[] = [];
    for await (const page of paginateQuery({ client: table.client }, input)) {
      items.push(...(page.Items ?? []));
      if (limit !== undefined && items.length >= limit) break;
    }
    return items;
  });
}
