import { randomUUID } from "node:crypto";
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../../automation/ledger/clock.ts";
import type { LedgerEvent } from "../../../automation/ledger/events.ts";
import { type AcquireOptions, acquireLease, currentOwner } from "../../../automation/ledger/lease.ts";
import type { Item, Key, LedgerTable } from "../../../automation/ledger/table.ts";

/** A client whose connections break on demand, and that says what it sent. */
export interface TestTable extends LedgerTable {
  /** The operations that were sent, with each repetition. */
  readonly sent: string[];
  /** That many of the operation's next responses are lost: the request took effect, then the connection was reset. */
  loseResponses(count: number, operation: string): void;
  /** Errors that the next requests of an operation meet before they reach DynamoDB. */
  failures: { readonly operation: string; readonly error: Error }[];
  /** What DynamoDB's responses tell as the time, if it is not the true one. */
  serviceClock: Clock | undefined;
  /** While true, no request reaches DynamoDB. */
  unreachable: boolean;
}

/** A client of its own for a table, as another driver has one. */
export function connect(tableName: string): TestTable {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (endpoint === undefined) throw new Error("no emulator: the client would talk to AWS");
  const client = new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 3,
  });
  const handler = client.config.requestHandler;
  const handle = handler.handle.bind(handler);
  let losing = { count: 0, operation: "" };
  const table: TestTable = {
    tableName,
    client,
    sent: [],
    loseResponses(count, operation) {
      losing = { count, operation };
    },
    failures: [],
    serviceClock: undefined,
    unreachable: false,
  };
  handler.handle = async (request, options) => {
    const operation = request.headers["x-amz-target"]?.split(".")[1] ?? "?";
    table.sent.push(operation);
    if (table.unreachable) throw connectionError("ECONNREFUSED");
    const failure = table.failures[0]?.operation === operation ? table.failures.shift() : undefined;
    if (failure) throw failure.error;
    const response = await handle(request, options);
    if (table.serviceClock) response.response.headers.date = new Date(table.serviceClock.wall()).toUTCString();
    if (losing.count === 0 || losing.operation !== operation) return response;
    losing.count--;
    throw connectionError("ECONNRESET");
  };
  return table;
}

function connectionError(code: string): Error {
  return Object.assign(new Error(`connection failed: ${code}`), { code, name: "TimeoutError" });
}

export async function createTable(): Promise<TestTable> {
  const table = connect(`handover-${randomUUID()}`);
  await table.client.send(
    new CreateTableCommand({
      TableName: table.tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  table.sent.length = 0;
  return table;
}

export async function readItem({ client, tableName }: LedgerTable, key: Key): Promise<Item> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
  );
  if (item === undefined) throw new Error(`no item ${JSON.stringify(key)}`);
  return item;
}

/** Writes behind the ledger's back, as somebody who edits the table. */
export async function writeItem({ client, tableName }: LedgerTable, item: Item): Promise<void> {
  await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
}

/** A lease that outlives any test, unless it says otherwise. */
export function take({ client, tableName }: LedgerTable, options: Partial<AcquireOptions> = {}) {
  return acquireLease({ client, tableName, owner: currentOwner({}), command: "handover upgrade", ...options });
}

/** The system's clocks, with hands that a test can move. */
export class MovableClock implements Clock {
  wallOffset = 0;
  monotonicOffset = 0;

  wall(): number {
    return Date.now() + this.wallOffset;
  }

  monotonic(): number {
    return performance.now() + this.monotonicOffset;
  }

  /** As if the process had been stopped: both clocks went on, no timer fired. */
  skip(seconds: number): void {
    this.wallOffset += seconds * 1000;
    this.monotonicOffset += seconds * 1000;
  }
}

export const runStarted: Extract<LedgerEvent, { type: "run-started" }> = {
  type: "run-started",
  run: "run-1",
  from: "blue",
  to: "green",
  command: "handover upgrade",
  goal: { live: "green" },
  inputs: { before: { APP_REVISION: "41" }, after: { APP_REVISION: "42" } },
};

export function phaseStarted(phase: string): LedgerEvent {
  return { type: "phase-started", phase };
}
