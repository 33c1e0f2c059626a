import { setTimeout as sleep } from "node:timers/promises";
import {
  type CancellationReason,
  TransactionCanceledException,
  TransactionInProgressException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { Sealed } from "./chain.ts";
import { LedgerConflictError } from "./errors.ts";
import type { Lease } from "./held-lease.ts";
import { summaryUpdate } from "./runs.ts";
import { journalKey, type LedgerTable, leaseKey, request } from "./table.ts";

/** A heartbeat at the same moment cancels a transaction on the lease's record; the SDK does not repeat that. */
const conflictAttempts = 10;

/**
 * Writes events of one run and its summary, all or none, as long as the lease is held.
 *
 * The fencing token is enough as a condition: as long as nobody else has acquired the lease, nobody else can write.
 * Whether it ran out without a successor is judged by `assertHeld`, on the clock of this machine: DynamoDB's expressions
 * have no clock of their own to compare with.
 */
export async function write(
  options: LedgerTable & { readonly lease: Lease },
  records: readonly Sealed[],
  runFirst: number,
): Promise<void> {
  const { tableName, client, lease } = options;
  const newest = records.at(-1)?.hash ?? "";
  const command = new TransactWriteItemsCommand({
    // The client's own retries of a request that took effect are answered as the first one, for ten minutes.
    ClientRequestToken: newest.slice(0, 36),
    TransactItems: [
      {
        ConditionCheck: {
          TableName: tableName,
          Key: leaseKey,
          ConditionExpression: "#token = :token AND #free = :held",
          ExpressionAttributeNames: { "#token": "token", "#free": "free" },
          ExpressionAttributeValues: { ":token": { N: String(lease.token) }, ":held": { BOOL: false } },
        },
      },
      summaryUpdate(options, records, runFirst),
      ...records.map(({ sequence, body, hash }) => ({
        Put: {
          TableName: tableName,
          Item: { ...journalKey(sequence), body: { S: body }, hash: { S: hash } },
          ConditionExpression: "attribute_not_exists(pk)",
          ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
        },
      })),
    ],
  });
  for (let attempt = 1; ; attempt++) {
    try {
      await request(`Recording ${records.map(({ event }) => event.type).join(", ")}`, options, () =>
        client.send(command),
      );
      return;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const reasons = cancellation(cause);
      const [leaseCheck, _summary, ...puts] = reasons;
      if (leaseCheck?.Code === "ConditionalCheckFailed") {
        throw lease.lose("somebody else has taken it, and DynamoDB refused to record this run's next event");
      }
      const taken = puts.findIndex((reason) => reason.Code === "ConditionalCheckFailed");
      const inTheWay = records[taken];
      if (inTheWay !== undefined) {
        // The first try of a repeated request took effect: these very events are there.
        if (puts[taken]?.Item?.hash?.S === inTheWay.hash) return;
        throw new LedgerConflictError(inTheWay.sequence, { cause });
      }
      const conflict = reasons.some((reason) => reason.Code === "TransactionConflict");
      if (!(conflict || cause instanceof TransactionInProgressException) || attempt === conflictAttempts) throw error;
      await sleep(Math.random() * Math.min(1000, 20 * 2 ** attempt));
      lease.assertHeld();
    }
  }
}

/** Why each part of a transaction was refused, in the order of its parts. */
function cancellation(cause: unknown): CancellationReason[] {
  return cause instanceof TransactionCanceledException ? (cause.CancellationReasons ?? []) : [];
}
