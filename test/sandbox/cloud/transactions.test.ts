import assert from "node:assert/strict";
import {
  CreateTableCommand,
  DescribeTableCommand,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { cloudForTests, errorCode, type TestCloud } from "../support.ts";

describe("The cloud's DynamoDB transactions", () => {
  let cloud: TestCloud;
  const TableName = "ledger";
  before(async () => {
    cloud = await cloudForTests();
    await cloud.dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
        ],
      }),
    );
  });
  after(() => cloud.stop());

  const key = (pk: string) => ({ pk: { S: pk }, sk: { S: "x" } });
  const put = (pk: string, value: string): TransactWriteItem => ({
    Put: { TableName, Item: { ...key(pk), value: { S: value } } },
  });
  const append = (pk: string): TransactWriteItem => ({
    Update: {
      TableName,
      Key: key(pk),
      UpdateExpression: "ADD n :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
    },
  });
  const fails: TransactWriteItem = {
    ConditionCheck: { TableName, Key: key("absent"), ConditionExpression: "attribute_exists(pk)" },
  };
  const write = (TransactItems: TransactWriteItem[], ClientRequestToken?: string) =>
    cloud.dynamodb.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
  const read = async (pk: string) =>
    (await cloud.dynamodb.send(new GetItemCommand({ TableName, Key: key(pk), ConsistentRead: true }))).Item;

  it("with the same token succeed again and change nothing", async () => {
    await write([append("counter")], "token-1");
    await write([append("counter")], "token-1");
    assert.deepEqual((await read("counter"))?.n, { N: "1" });
    await write([append("counter")], "token-2");
    assert.deepEqual((await read("counter"))?.n, { N: "2" });
  });

  it("with the same token and other items are an error", async () => {
    await write([put("a", "1")], "token-3");
    assert.equal(await errorCode(write([put("a", "2")], "token-3")), "IdempotentParameterMismatchException");
    assert.deepEqual((await read("a"))?.value, { S: "1" });
  });

  it("that were cancelled can be tried again with their token", async () => {
    const items = [put("b", "1"), { ConditionCheck: { ...fails.ConditionCheck, Key: key("later") } }];
    const transaction = () => write(items as TransactWriteItem[], "token-4");
    assert.equal(await errorCode(transaction()), "TransactionCanceledException");
    await write([put("later", "there")]);
    await transaction();
    assert.deepEqual((await read("b"))?.value, { S: "1" });
  });

  it("undo every item when one condition fails: what was put, updated and deleted", async () => {
    await write([put("kept", "old"), put("deleted", "old"), append("counted")]);
    const items = [
      put("kept", "new"),
      put("new", "new"),
      append("counted"),
      { Delete: { TableName, Key: key("deleted") } },
      fails,
    ];
    assert.equal(await errorCode(write(items)), "TransactionCanceledException");
    assert.deepEqual((await read("kept"))?.value, { S: "old" });
    assert.equal(await read("new"), undefined);
    assert.deepEqual((await read("counted"))?.n, { N: "1" });
    assert.deepEqual((await read("deleted"))?.value, { S: "old" });
  });

  it("are of tables whose encryption can be changed", async () => {
    const encryption = async (Enabled: boolean) => {
      await cloud.dynamodb.send(new UpdateTableCommand({ TableName, SSESpecification: { Enabled } }));
      return (await cloud.dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.SSEDescription?.Status;
    };
    assert.equal(await encryption(true), "ENABLED");
    assert.equal(await encryption(false), undefined);
  });
});
