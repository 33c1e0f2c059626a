import { type AttributeValue, type DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { LedgerError, LedgerMissingError, LedgerUnavailableError } from "./errors.ts";

/**
 * The ledger's table: partition key `pk`, sort key `sk`, both strings.
 *
 * | pk | sk | what |
 * | --- | --- | --- |
 * | `lease` | `lease` | the lease; it stays when it is free, because it holds the last fencing token |
 * | `journal` | sequence number | one event: `body`, the canonical JSON, and `hash` |
 * | `runs` | sequence number of the run's first event | summary of a run, written with each event |
 */
export interface LedgerTable {
  readonly tableName: string;
  /** Region, endpoint, credentials and retries are the client's. */
  readonly client: DynamoDBClient;
}

export type Item = Record<string, AttributeValue>;
export type Key = { pk: AttributeValue; sk: AttributeValue };

export const leaseKey: Key = { pk: { S: "lease" }, sk: { S: "lease" } };

export function journalKey(sequence: number): Key {
  return { pk: { S: "journal" }, sk: { S: sortable(sequence) } };
}

export function runKey(firstSequence: number): Key {
  return { pk: { S: "runs" }, sk: { S: sortable(firstSequence) } };
}

/** DynamoDB sorts strings by their bytes, so numbers are padded: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
export function sortable(sequence: number): string {
  return String(sequence).padStart(12, "0");
}

export function text(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) throw new TypeError(`attribute ${name} is not a string`);
  return value;
}

export function number(item: Item, name: string): number {
  const value = Number(item[name]?.N);
  if (!Number.isFinite(value)) throw new TypeError(`attribute ${name} is not a number`);
  return value;
}

/** Runs a request; a missing table becomes `LedgerMissingError`, what else goes wrong `LedgerUnavailableError`. */
export async function request<T>(what: string, { tableName }: LedgerTable, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    if (cause instanceof ResourceNotFoundException) throw new LedgerMissingError(tableName, { cause });
    throw new LedgerUnavailableError(what, tableName, { cause });
  }
}
