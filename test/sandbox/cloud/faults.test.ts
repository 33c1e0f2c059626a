import assert from "node:assert/strict";
import { CreateTableCommand, GetItemCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { AllocateAddressCommand, DescribeAddressesCommand, DescribeVpcsCommand } from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { launch } from "./world.ts";

describe("The cloud's faults", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());
  afterEach(() => cloud.control("DELETE", "faults"));

  const fault = (values: Record<string, unknown>) => cloud.control("POST", "faults", values);
  const vpcs = () => cloud.ec2.send(new DescribeVpcsCommand({}));
  const struck = async () =>
    ((await cloud.control("GET", "faults")) as { struck: number }[]).reduce((sum, each) => sum + each.struck, 0);

  it("of kind throttle have each service's own code", async () => {
    await fault({ kind: "throttle" });
    assert.equal(await errorCode(vpcs()), "RequestLimitExceeded");
    assert.equal(await errorCode(cloud.elb.send(new DescribeLoadBalancersCommand({}))), "Throttling");
    assert.equal(await errorCode(cloud.dynamodb.send(new ListTablesCommand({}))), "ThrottlingException");
  });

  it("of kind throttle are ridden out by retries", async () => {
    await fault({ kind: "throttle", rate: 0.3 });
    const patient = cloud.clients({ maxAttempts: 10, retryMode: "standard" });
    for (let call = 0; call < 10; call++) await patient.ec2.send(new DescribeVpcsCommand({}));
    assert.ok((await struck()) > 0);
  });

  it("of kind error answer 500 or 503", async () => {
    await fault({ kind: "error" });
    const status = async () => {
      try {
        await vpcs();
      } catch (error) {
        return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      }
      return 200;
    };
    assert.equal(await status(), 500);
    assert.equal(await errorCode(vpcs()), "InternalError");
    await cloud.control("DELETE", "faults");
    await fault({ kind: "error", status: 503 });
    assert.equal(await errorCode(vpcs()), "Unavailable");
    assert.equal(await status(), 503);
  });

  it("of kind latency delay the answer, and other calls go on in the meantime", async () => {
    await fault({ kind: "latency", milliseconds: 400, operation: "DescribeVpcs" });
    const since = Date.now();
    const slow = vpcs();
    await cloud.ec2.send(new DescribeAddressesCommand({}));
    const quick = Date.now() - since;
    await slow;
    assert.ok(quick < 400, `${quick} ms`);
    assert.ok(Date.now() - since >= 400);
  });

  it("of kind capacity strike launches only", async () => {
    await fault({ kind: "capacity" });
    assert.equal(await errorCode(launch(cloud.ec2)), "InsufficientInstanceCapacity");
    await vpcs();
  });

  it("of kind drop let the call take effect and reset its connection", async () => {
    const addresses = async () => (await cloud.ec2.send(new DescribeAddressesCommand({}))).Addresses?.length ?? 0;
    const before = await addresses();
    await fault({ kind: "drop", operation: "AllocateAddress" });
    const lost = cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    await assert.rejects(lost, { code: "ECONNRESET" });
    assert.equal(await addresses(), before + 1);
  });

  it("of kind drop are ridden out where the call can be sent again", async () => {
    await cloud.dynamodb.send(
      new CreateTableCommand({
        TableName: "t",
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      }),
    );
    await fault({ kind: "drop", rate: 0.5 });
    const patient = cloud.clients({ maxAttempts: 15 });
    const launched = await launch(patient.ec2, { ClientToken: "dropped" });
    await patient.dynamodb.send(new PutItemCommand({ TableName: "t", Item: { pk: { S: "a" } } }));
    await cloud.control("DELETE", "faults");
    const { Item } = await cloud.dynamodb.send(new GetItemCommand({ TableName: "t", Key: { pk: { S: "a" } } }));
    assert.deepEqual(Item, { pk: { S: "a" } });
    assert.equal((await launch(cloud.ec2, { ClientToken: "dropped" })).InstanceId, launched.InstanceId);
  });

  it("strike one operation, and end after their seconds", async () => {
    await fault({ kind: "error", operation: "DescribeVpcs", seconds: 0.3 });
    await cloud.ec2.send(new DescribeAddressesCommand({}));
    assert.equal(await errorCode(vpcs()), "InternalError");
    await eventually(async () => (await errorCode(vpcs())) === "none", "the fault's end", 2);
    assert.deepEqual(await cloud.control("GET", "faults"), []);
  });

  it("strike so many calls and no more", async () => {
    await fault({ kind: "error", times: 2 });
    const codes = [await errorCode(vpcs()), await errorCode(vpcs()), await errorCode(vpcs())];
    assert.deepEqual(codes, ["InternalError", "InternalError", "none"]);
    assert.deepEqual(await cloud.control("GET", "faults"), []);
  });

  it("of kind denied have each service's own code", async () => {
    await fault({ kind: "denied" });
    assert.equal(await errorCode(vpcs()), "UnauthorizedOperation");
    assert.equal(await errorCode(cloud.elb.send(new DescribeLoadBalancersCommand({}))), "AccessDenied");
    assert.equal(await errorCode(cloud.dynamodb.send(new ListTablesCommand({}))), "AccessDeniedException");
    await cloud.control("DELETE", "faults");
  });

  it("are cleared at once", async () => {
    await fault({ kind: "throttle" });
    assert.deepEqual(await cloud.control("DELETE", "faults"), { cleared: 1 });
    await vpcs();
  });

  it("strike the same calls for the same seed", async () => {
    const pattern = async () => {
      await cloud.control("POST", "settings", { seed: 7 });
      await fault({ kind: "error", rate: 0.5 });
      const codes: string[] = [];
      for (let call = 0; call < 12; call++) codes.push(await errorCode(vpcs()));
      await cloud.control("DELETE", "faults");
      return codes;
    };
    const first = await pattern();
    assert.deepEqual(await pattern(), first);
    assert.equal(new Set(first).size, 2);
  });

  it("that make no sense are refused with the reason", async () => {
    await assert.rejects(fault({ kind: "flood" }), /kind: flood is not one of throttle, expired, error, latency/);
    await assert.rejects(fault({ kind: "throttle", rate: 2 }), /rate: must be above 0/);
    await assert.rejects(fault({ kind: "error", status: 404 }), /status: must be 500 or 503/);
    await assert.rejects(fault({ kind: "drop", times: 0 }), /times: must be 1 or more/);
    await assert.rejects(fault({ kind: "throttle", sometimes: true }), /sometimes/);
  });
});
