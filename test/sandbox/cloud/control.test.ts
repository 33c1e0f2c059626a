import assert from "node:assert/strict";
import { DescribeInstanceTypesCommand, DescribeVpcsCommand } from "@aws-sdk/client-ec2";
import type { CloudState } from "../../../sandbox/network/state.ts";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";
import { describe as describeInstance, launch, network, running, type World } from "./world.ts";

describe("The cloud's control API", () => {
  let cloud: TestCloud;
  let world: World;
  before(async () => {
    cloud = await cloudForTests();
    world = await network(cloud.ec2);
  });
  after(() => cloud.stop());

  const state = (query = "") => cloud.control("GET", `state${query}`) as Promise<CloudState>;

  it("hands out instances with their addresses and decoded user data", async () => {
    const UserData = Buffer.from("APP_REVISION=42\n").toString("base64");
    const { InstanceId, PrivateIpAddress } = await running(cloud.ec2, { SubnetId: world.subnetIds[0], UserData });
    const found = (await state()).instances.find(({ id }) => id === InstanceId);
    assert.deepEqual(found, {
      id: InstanceId,
      state: "running",
      privateIp: PrivateIpAddress,
      publicIp: null,
      subnetId: world.subnetIds[0],
      quietPorts: [],
      userData: "APP_REVISION=42\n",
    });
  });

  it("answers a waiting follower as soon as a call has changed something", async () => {
    const { revision } = await eventually(settled);
    // Longer than this test may take.
    const waiting = state(`?after=${revision}&waitSeconds=3600`);
    await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    assert.ok((await waiting).revision > revision);
  });

  it("answers a waiting follower when time has changed something", async () => {
    const { InstanceId } = await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    let after = 0;
    await eventually(async () => {
      const found = await state(`?after=${after}&waitSeconds=5`);
      after = found.revision;
      return found.instances.some(({ id, state }) => id === InstanceId && state === "running");
    });
  });

  it("answers 204 when nothing has changed in time", async () => {
    await eventually(async () => {
      const { revision } = await state();
      return (await state(`?after=${revision}&waitSeconds=0.05`)) === undefined;
    });
  });

  it("is not disturbed by calls that only read", async () => {
    const { revision } = await eventually(settled);
    await cloud.ec2.send(new DescribeVpcsCommand({}));
    assert.equal((await state()).revision, revision);
  });

  it("counts AWS calls", async () => {
    const count = async () =>
      ((await cloud.control("GET", "calls")) as Record<string, number>)["ec2.DescribeInstanceTypes"] ?? 0;
    const before = await count();
    await cloud.ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: ["t3.small"] }));
    assert.equal(await count(), before + 1);
  });

  it("changes settings while the cloud runs, and refuses those that it does not know", async () => {
    await cloud.control("POST", "settings", { bootSeconds: 60 });
    const { InstanceId } = await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    await cloud.control("POST", "settings", { bootSeconds: 0 });
    await running(cloud.ec2, { SubnetId: world.subnetIds[0] });
    assert.equal((await describeInstance(cloud.ec2, InstanceId)).State?.Name, "pending");
    await assert.rejects(cloud.control("POST", "settings", { bootMinutes: 1 }), /400: .*unknown settings: bootMinutes/);
  });

  it("says what it does not have", async () => {
    await assert.rejects(cloud.control("GET", "weather"), /404: .*no such call/);
  });

  it("empties the cloud", async () => {
    const { revision } = await state();
    await cloud.control("POST", "reset");
    const empty = await state();
    assert.ok(empty.revision > revision);
    assert.deepEqual([empty.instances, empty.loadBalancers, empty.targetGroups], [[], [], []]);
    assert.deepEqual(await cloud.control("GET", "calls"), {});
  });

  async function settled(): Promise<CloudState | undefined> {
    const found = await state();
    return (await state(`?after=${found.revision}&waitSeconds=0.3`)) === undefined ? found : undefined;
  }
});
