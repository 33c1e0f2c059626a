import assert from "node:assert/strict";
import { NotReadyError } from "../../provider/errors.ts";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";
import { createNetwork, type Network } from "./network.ts";

const instanceToken = "aws:ec2/instance:Instance";
const imageId = "ami-0a1b2c3d4e5f60001";

describe("The provider's servers", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;
  let holder: Deployed;
  let next: Deployed;
  const tags = { Name: "shop-blue-1", "handover:site": "shop" };
  const program = () => ({
    ami: imageId,
    instanceType: "t3.small",
    subnetId: network.subnets[0]?.id,
    vpcSecurityGroupIds: [network.group.id],
    associatePublicIpAddress: false,
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: { encrypted: true },
    creditSpecification: { cpuCredits: "standard" },
    userData: "#cloud-config\n",
    userDataReplaceOnChange: true,
    tags,
  });

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
    [holder, next] = await Promise.all([
      harness.create(instanceToken, "holder", program()),
      harness.create(instanceToken, "next", program()),
    ]);
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "an Instance",
    () => harness,
    () => ({
      token: instanceToken,
      inputs: program(),
      change: {
        instanceType: "t3.medium",
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "optional", httpPutResponseHopLimit: 2 },
        vpcSecurityGroupIds: [network.other.id],
        creditSpecification: { cpuCredits: "unlimited" },
        tags: { Name: "other" },
      },
      replace: {
        ami: "ami-0a1b2c3d4e5f60002",
        subnetId: network.subnets[1]?.id,
        associatePublicIpAddress: true,
        keyName: "key",
        privateIp: "10.0.0.9",
        rootBlockDevice: { encrypted: false },
        userData: "#cloud-config\nother",
      },
      outputs: ["arn", "instanceState", "privateIp", "publicIp", "primaryNetworkInterfaceId"],
      untold: ["userDataReplaceOnChange"],
    }),
  );

  it("replaces an instance for its user data only if the program says so", () => {
    const { userDataReplaceOnChange: _, ...inputs } = program();
    const { differences } = harness.diff(holder, { ...inputs, userData: "other" });
    assert.deepEqual(
      differences.map(({ path, replace }) => [path, replace]),
      [
        ["userData", false],
        ["userDataReplaceOnChange", false],
      ],
    );
  });

  it("adopts the instance of a creation that was cut off, but never a terminated one", async () => {
    const first = await harness.create(instanceToken, "cut-off", program());
    const second = await harness.create(instanceToken, "cut-off", program());
    assert.equal(second.id, first.id);
    await harness.delete(second);
    const third = await harness.create(instanceToken, "cut-off", program());
    assert.notEqual(third.id, first.id);
    await harness.delete(third);
  });

  it("gives a replacement with the same inputs an instance of its own", async () => {
    const old = await harness.create(instanceToken, "tainted", program());
    harness.check(old.urn, old.inputs, program());
    const replacement = await harness.create(instanceToken, "tainted", program());
    assert.notEqual(replacement.id, old.id);
    await Promise.all([harness.delete(old), harness.delete(replacement)]);
  });

  it("waits for all instances in the same calls", async () => {
    await harness.cloud.control("POST", "reset-calls").catch(() => undefined);
    const before = (await harness.cloud.control("GET", "calls")) as Record<string, number>;
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const many = await Promise.all(names.map((name) => harness.create(instanceToken, name, program())));
    const after = (await harness.cloud.control("GET", "calls")) as Record<string, number>;
    const calls = (after["ec2.DescribeInstances"] ?? 0) - (before["ec2.DescribeInstances"] ?? 0);
    assert.ok(calls < 60, `${calls} calls to describe 20 instances`);
    await Promise.all(many.map((instance) => harness.delete(instance)));
  });

  it("keeps an instance in the state that did not get ready in time", async () => {
    await harness.cloud.control("POST", "settings", { bootSeconds: 2 });
    const urn = harness.urn(instanceToken, "slow");
    const inputs = harness.check(urn, {}, program());
    const failed = await harness.provider.create({ urn, timeoutSeconds: 0.3 }, inputs, false).catch((error) => error);
    assert.ok(failed instanceof NotReadyError);
    assert.match(failed.message, /^Waited 0.3 s in vain for i-\w+ to be running\.$/);
    await harness.cloud.control("POST", "settings", { bootSeconds: 0.1 });
    const kept = { urn, id: failed.id, inputs: failed.inputs, state: failed.state };
    const resumed = await harness.update(kept, program());
    assert.equal(resumed.state.instanceState, "running");
    await harness.delete(resumed);
  });

  it("stops waiting when the engine cancels", async () => {
    await harness.cloud.control("POST", "settings", { bootSeconds: 30 });
    const urn = harness.urn(instanceToken, "cancelled");
    const inputs = harness.check(urn, {}, program());
    const controller = new AbortController();
    const creation = harness.provider.create({ urn, signal: controller.signal }, inputs, false);
    setTimeout(() => controller.abort(new Error("cancelled")), 300);
    const failed = await creation.catch((error) => error);
    await harness.cloud.control("POST", "settings", { bootSeconds: 0.1 });
    assert.ok(failed instanceof NotReadyError);
    assert.match(failed.message, /cancelled/);
    await harness.delete({ urn, id: failed.id, inputs: failed.inputs, state: failed.state });
  });

  it("tells that an instance has a public address, one of its own or an Elastic IP", async () => {
    const instance = await harness.create(instanceToken, "public", { ...program(), associatePublicIpAddress: true });
    assert.notEqual(instance.state.publicIp, "");
    const elastic = await harness.create("aws:ec2/eip:Eip", "public", { domain: "vpc" });
    const association = { instanceId: instance.id, allocationId: elastic.id };
    const associated = await harness.create("aws:ec2/eipAssociation:EipAssociation", "public", association);
    const found = await harness.refresh(instance);
    assert.deepEqual(
      [found?.state.publicIp, found?.inputs.associatePublicIpAddress],
      [elastic.state.publicIp, true],
      "as the official plugin does",
    );
    for (const each of [associated, elastic, instance]) await harness.delete(each);
  });

  it("names AWS's code and request when AWS refuses", async () => {
    const call = harness.create(instanceToken, "refused", { ...program(), subnetId: "subnet-0123456789abcdef0" });
    await assert.rejects(call, { name: "InvalidSubnetID.NotFound" });
  });

  itLivesAs(
    "a LaunchTemplate",
    () => harness,
    () => ({
      token: "aws:ec2/launchTemplate:LaunchTemplate",
      inputs: {
        imageId,
        instanceType: "t3.small",
        userData: Buffer.from("#cloud-config\n").toString("base64"),
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        networkInterfaces: [{ deviceIndex: 0, associatePublicIpAddress: "false", securityGroups: [network.group.id] }],
        blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true" } }],
        updateDefaultVersion: true,
        tags,
      },
      change: { instanceType: "t3.medium" },
      replace: { name: "fixed" },
      outputs: ["arn", "latestVersion"],
      untold: ["updateDefaultVersion"],
    }),
  );

  it("makes a changed launch template's new version the default, if the program says so", async () => {
    const token = "aws:ec2/launchTemplate:LaunchTemplate";
    const inputs = { imageId, instanceType: "t3.small", updateDefaultVersion: true };
    const template = await harness.create(token, "versions", inputs);
    assert.deepEqual([template.state.latestVersion, template.state.defaultVersion], [1, 1]);
    const second = await harness.update(template, { ...inputs, instanceType: "t3.medium" });
    assert.deepEqual([second.state.latestVersion, second.state.defaultVersion], [2, 2]);
    assert.equal(second.state.imageId, imageId);
    const third = await harness.update(second, { imageId, instanceType: "t3.large" });
    assert.deepEqual([third.state.latestVersion, third.state.defaultVersion], [3, 2]);
    await harness.delete(third);
  });

  itLivesAs(
    "an Eip",
    () => harness,
    () => ({
      token: "aws:ec2/eip:Eip",
      inputs: { domain: "vpc", tags },
      change: { tags: { Name: "other" } },
      replace: { domain: "standard" },
      outputs: ["arn", "allocationId", "publicIp"],
    }),
  );

  it("allocates an Eip from a pool, and tells from which", async () => {
    const pools = ["ipv4pool-ec2-0a1b", "ipam-pool-0a1b"].map((poolId) => ({ poolId, addressCount: 1 }));
    await harness.cloud.control("POST", "settings", { pools });
    const token = "aws:ec2/eip:Eip";
    const made = [
      await harness.create(token, "byoip", { domain: "vpc", publicIpv4Pool: "ipv4pool-ec2-0a1b" }),
      await harness.create(token, "ipam", { domain: "vpc", ipamPoolId: "ipam-pool-0a1b" }),
      await harness.create(token, "amazon", { domain: "vpc" }),
    ];
    assert.deepEqual(
      made.map(({ state }) => [state.publicIpv4Pool, state.ipamPoolId]),
      [
        ["ipv4pool-ec2-0a1b", ""],
        ["", "ipam-pool-0a1b"],
        ["amazon", ""],
      ],
    );
    const more = { domain: "vpc", ipamPoolId: "ipam-pool-0a1b" };
    await assert.rejects(harness.create(token, "more", more), /Not enough available addresses/);
    for (const each of made) await harness.delete(each);
  });

  describe("an EipAssociation", () => {
    const token = "aws:ec2/eipAssociation:EipAssociation";
    let address: Deployed;

    before(async () => {
      address = await harness.create("aws:ec2/eip:Eip", "address", { domain: "vpc" });
    });

    const inputs = (instance: Deployed) => ({
      allocationId: address.id,
      instanceId: instance.id,
      allowReassociation: true,
    });

    it("moves in one call, and deleting the old one finds nothing", async () => {
      const old = await harness.create(token, "association", inputs(holder));
      const moved = await harness.create(token, "association", inputs(next));
      assert.equal(await harness.refresh(old), undefined);
      await harness.delete(old);
      const found = await harness.refresh(moved);
      assert.equal(found?.state.instanceId, next.id);
      const publicIp = (await harness.refresh(next))?.state.publicIp;
      assert.equal(publicIp, address.state.publicIp);
      await harness.delete(moved);
    });
    itLivesAs(
      "by itself, an EipAssociation",
      () => harness,
      () => ({
        token,
        inputs: inputs(holder),
        replace: { instanceId: next.id, allocationId: "eipalloc-0" },
        outputs: ["publicIp", "networkInterfaceId"],
        untold: ["allowReassociation"],
        refused: ["exactly one of instanceId, networkInterfaceId must be given"],
      }),
      { updates: false },
    );
  });
});
