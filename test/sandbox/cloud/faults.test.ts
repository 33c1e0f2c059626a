import assert from "node:assert/strict";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  type EC2ServiceException,
  StartInstancesCommand,
} from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { launch, network, type World } from "./world.ts";

describe("The cloud's faults on demand", () => {
  let cloud: TestCloud;
  let world: World;
  before(async () => {
    cloud = await cloudForTests();
    world = await network(cloud.ec2);
  });
  after(() => cloud.stop());
  afterEach(() => cloud.control("DELETE", "faults"));

  const strike = (fault: Record<string, unknown>) => cloud.control("POST", "faults", fault);
  const servers = async () => {
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId }) => InstanceId));
  };
  const vpcs = () => cloud.ec2.send(new DescribeVpcsCommand({}));

  it("throttle as each service does", async () => {
    await strike({ kind: "throttle" });
    assert.equal(await errorCode(vpcs()), "RequestLimitExceeded");
    assert.equal(await errorCode(cloud.elb.send(new DescribeLoadBalancersCommand({}))), "Throttling");
    assert.equal(await errorCode(cloud.dynamodb.send(new ListTablesCommand({}))), "ThrottlingException");
  });

  it("answer 500 or 503", async () => {
    for (const [status, code] of [
      [500, "InternalError"],
      [503, "Unavailable"],
    ] as const) {
      await strike({ kind: "error", status });
      await assert.rejects(vpcs(), (error: EC2ServiceException) => {
        assert.deepEqual([error.name, error.$metadata.httpStatusCode], [code, status]);
        return true;
      });
      await cloud.control("DELETE", "faults");
    }
  });

  it("take capacity away from launches and starts only", async () => {
    const { InstanceId = "" } = await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    await strike({ kind: "capacity" });
    const launched = launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    assert.equal(await errorCode(launched), "InsufficientInstanceCapacity");
    const started = cloud.ec2.send(new StartInstancesCommand({ InstanceIds: [InstanceId] }));
    assert.equal(await errorCode(started), "InsufficientInstanceCapacity");
    assert.equal(await errorCode(vpcs()), "none");
  });

  it("reset the connection of a call that took effect, and the call's repetition finds it done", async () => {
    const input = { SubnetId: world.subnetIds[1], ClientToken: "dropped" };
    const before = (await servers()).length;
    await strike({ kind: "drop", operation: "RunInstances" });
    await assert.rejects(launch(cloud.ec2, input), { code: "ECONNRESET" });
    await cloud.control("DELETE", "faults");
    const { InstanceId } = await launch(cloud.ec2, input);
    const after = await servers();
    assert.equal(after.length, before + 1);
    assert.ok(after.includes(InstanceId));
  });

  it("delay calls, and leave other operations alone", async () => {
    await strike({ kind: "latency", milliseconds: 150, operation: "DescribeVpcs" });
    const started = performance.now();
    await cloud.elb.send(new DescribeLoadBalancersCommand({}));
    const other = performance.now() - started;
    await vpcs();
    assert.ok(performance.now() - started - other >= 150);
  });

  it("strike the share of the calls that was asked for, the same ones with the same seed", async () => {
    await strike({ kind: "throttle", rate: 0.5 });
    const codes = [];
    for (let call = 0; call < 60; call++) codes.push(await errorCode(vpcs()));
    const struck = codes.filter((code) => code === "RequestLimitExceeded").length;
    assert.ok(struck > 15 && struck < 45, `${struck} of 60`);
  });

  it("are listed with their count, and end by themselves", async () => {
    await strike({ kind: "error", operation: "DescribeVpcs" });
    await strike({ kind: "latency", operation: "CreateVpc", seconds: 0.1 });
    await errorCode(vpcs());
    const left = await eventually(async () => {
      const faults = (await cloud.control("GET", "faults")) as { kind: string; struck: number }[];
      return faults.length === 1 && faults;
    });
    assert.deepEqual(
      left.map(({ kind, struck }) => [kind, struck]),
      [["error", 1]],
    );
  });

  it("that make no sense are refused with the reason", async () => {
    await assert.rejects(strike({ kind: "flood" }), /400: .*flood is not one of throttle, error/);
    await assert.rejects(strike({ kind: "error", rate: 2 }), /400: .*above 0 and not above 1/);
    await assert.rejects(strike({ kind: "error", status: 404 }), /400: .*500 or 503/);
    await assert.rejects(strike({ kind: "error", often: true }), /400: .*not often/);
  });
});
