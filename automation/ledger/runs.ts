import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { LedgerUnreadableError } from "./errors.ts";
import { type LedgerRecord, type Outcome, outcome } from "./events.ts";
import { type Item, type LedgerTable, number, runKey, text } from "./table.ts";

/** A run at a glance, kept beside the events so that listing runs does not read them all. */
export interface RunSummary {
  readonly run: string;
  readonly from: string;
  readonly to: string;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  /** Time of the last event. */
  readonly updated: string;
  /** Only when the run has ended. */
  readonly finished?: string;
  readonly outcome?: Outcome;
  /** The phase of the last event that has one. */
  readonly phase?: string;
  /** Sequence numbers of its first and last event, and the hash of the last. */
  readonly first: number;
  readonly last: number;
  readonly hash: string;
}

export function parseSummary(item: Item): RunSummary {
  try {
    const optional = (name: string) => (item[name] === undefined ? undefined : text(item, name));
    const [finished, phase] = [optional("finished"), optional("phase")];
    return {
      run: text(item, "run"),
      from: text(item, "from"),
      to: text(item, "to"),
      command: text(item, "command"),
      started: text(item, "started"),
      updated: text(item, "updated"),
      ...(finished === undefined ? {} : { finished, outcome: outcome.parse(optional("outcome")) }),
      ...(phase === undefined ? {} : { phase }),
      first: number(item, "first"),
      last: number(item, "last"),
      hash: text(item, "hash"),
    };
  } catch (cause) {
    throw new LedgerUnreadableError(`runs/${item.sk?.S}`, { cause });
  }
}

/** The write that keeps a run's summary up to date with events. A finished run that goes on is no longer finished. */
export function summaryUpdate(
  table: LedgerTable,
  records: readonly LedgerRecord[],
  firstSequence: number,
): TransactWriteItem {
  const set: Item = Object.assign({}, ...records.map(changes));
  const removed = records.at(-1)?.event.type === "run-finished" ? [] : ["finished", "outcome"];
  for (const name of removed) delete set[name];
  const assignments = Object.keys(set).map((name) => `#${name} = :${name}`);
  return {
    Update: {
      TableName: table.tableName,
      Key: runKey(firstSequence),
      UpdateExpression: [
        `SET ${assignments.join(", ")}`,
        ...(removed.length > 0 ? [`REMOVE ${removed.map((name) => `#${name}`).join(", ")}`] : []),
      ].join(" "),
      ExpressionAttributeNames: Object.fromEntries([...Object.keys(set), ...removed].map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
    },
  };
}

/** Derives from an event the changes of its run's summary. */
function changes({ event, time, sequence, hash }: LedgerRecord): Item {
  return {
    updated: { S: time },
    last: { N: String(sequence) },
    hash: { S: hash },
    ...("phase" in event && event.phase !== undefined && { phase: { S: event.phase } }),
    ...(event.type === "run-finished" && { finished: { S: time }, outcome: { S: event.outcome } }),
    ...(event.type === "run-started" && {
      run: { S: event.run },
      from: { S: event.from },
      to: { S: event.to },
      command: { S: event.command },
      started: { S: time },
      first: { N: String(sequence) },
    }),
  };
}
