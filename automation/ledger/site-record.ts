import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type Key, type LedgerTable, request, text } from "./table.ts";

/** What the ledger knows of the state of its site. */
export interface SiteRecord {
  /** See `idTag`. Missing where the site has none yet. */
  readonly id?: string | undefined;
  /** The newest run that changed the state; see `lastRun` in the outputs. */
  readonly run: string;
  /** Where the state was then, for a person. */
  readonly backend: string;
}

const siteKey: Key = { pk: { S: "site" }, sk: { S: "site" } };

export async function readSiteRecord(table: LedgerTable): Promise<SiteRecord | undefined> {
  const command = new GetItemCommand({ TableName: table.tableName, Key: siteKey, ConsistentRead: true });
  const { Item: item } = await request("Reading the site's record", table, () => table.client.send(command));
  return item && { id: item.id?.S, run: text(item, "run"), backend: text(item, "backend") };
}

/** Only who holds the lease writes it. */
export async function writeSiteRecord(table: LedgerTable, { id, run, backend }: SiteRecord): Promise<void> {
  const Item = { ...siteKey, ...(id !== undefined && { id: { S: id } }), run: { S: run }, backend: { S: backend } };
  const command = new PutItemCommand({ TableName: table.tableName, Item });
  await request("Writing the site's record", table, () => table.client.send(command));
}
