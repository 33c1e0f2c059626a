import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import { cloudForTests, errorCode, type TestCloud } from "../support.ts";
import { describe as describeInstance, launch, network, running, type World } from "./world.ts";

describe("The cloud's Elastic IPs", () => {
  let cloud: TestCloud;
  let world: World;
  before(async () => {
    cloud = await cloudForTests();
    world = await network(cloud.ec2);
  });
  after(() => cloud.stop());

  const allocate = async () => {
    const { AllocationId, PublicIp } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    return { AllocationId: AllocationId ?? "", PublicIp: PublicIp ?? "" };
  };
  const associate = (AllocationId: string, InstanceId: string | undefined, AllowReassociation = false) =>
    cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation }));
  const address = async (allocationId: string) =>
    (await cloud.ec2.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] }))).Addresses?.[0];
  const server = () => running(cloud.ec2, { SubnetId: world.subnetIds[0] });
  const publicIp = async (instanceId: string | undefined) =>
    (await describeInstance(cloud.ec2, instanceId)).PublicIpAddress;

  it("come from the sandbox's pool, each once", async () => {
    const [first, second] = [await allocate(), await allocate()];
    assert.notEqual(first.PublicIp, second.PublicIp);
    const prefix = cloud.slot.addressPool.split(".").slice(0, 2).join(".");
    assert.ok(first.PublicIp.startsWith(`${prefix}.`), first.PublicIp);
  });

  it("that were released are not handed out again at once", async () => {
    const { AllocationId, PublicIp } = await allocate();
    await cloud.ec2.send(new ReleaseAddressCommand({ AllocationId }));
    assert.notEqual((await allocate()).PublicIp, PublicIp);
  });

  it("have one holder: a move takes them from the old one in the same call", async () => {
    const [blue, green] = [await server(), await server()];
    const { AllocationId, PublicIp } = await allocate();
    await associate(AllocationId, blue.InstanceId);
    assert.equal(await publicIp(blue.InstanceId), PublicIp);
    await associate(AllocationId, green.InstanceId, true);
    assert.equal(await publicIp(blue.InstanceId), undefined);
    assert.equal(await publicIp(green.InstanceId), PublicIp);
    assert.equal((await address(AllocationId))?.InstanceId, green.InstanceId);
  });

  it("that are held move only where reassociation is allowed", async () => {
    const [blue, green] = [await server(), await server()];
    const { AllocationId } = await allocate();
    await associate(AllocationId, blue.InstanceId);
    assert.equal(await errorCode(associate(AllocationId, green.InstanceId)), "Resource.AlreadyAssociated");
  });

  it("keep their association when they are given to their holder again", async () => {
    const { InstanceId } = await server();
    const { AllocationId } = await allocate();
    const { AssociationId } = await associate(AllocationId, InstanceId);
    assert.equal((await associate(AllocationId, InstanceId, true)).AssociationId, AssociationId);
  });

  it("show their instance when they were associated with its interface", async () => {
    const { InstanceId, NetworkInterfaces } = await server();
    const { AllocationId } = await allocate();
    const NetworkInterfaceId = NetworkInterfaces?.[0]?.NetworkInterfaceId;
    await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId }));
    assert.equal((await address(AllocationId))?.InstanceId, InstanceId);
  });

  it("have a new association after a move, and the old one is unknown", async () => {
    const [blue, green] = [await server(), await server()];
    const { AllocationId } = await allocate();
    const { AssociationId } = await associate(AllocationId, blue.InstanceId);
    await associate(AllocationId, green.InstanceId, true);
    const code = await errorCode(cloud.ec2.send(new DisassociateAddressCommand({ AssociationId })));
    assert.equal(code, "InvalidAssociationID.NotFound");
    assert.equal((await address(AllocationId))?.InstanceId, green.InstanceId);
  });

  it("replace the address that their new holder had, which is free from then on", async () => {
    const { InstanceId } = await server();
    const [first, second] = [await allocate(), await allocate()];
    await associate(first.AllocationId, InstanceId);
    await associate(second.AllocationId, InstanceId);
    assert.equal((await address(first.AllocationId))?.AssociationId, undefined);
    assert.equal(await publicIp(InstanceId), second.PublicIp);
  });

  it("go to one of those who race for them", async () => {
    const servers = await Promise.all(Array.from({ length: 8 }, server));
    const { AllocationId, PublicIp } = await allocate();
    await Promise.all(servers.map(({ InstanceId }) => associate(AllocationId, InstanceId, true)));
    const holders = await Promise.all(servers.map(({ InstanceId }) => publicIp(InstanceId)));
    assert.equal(holders.filter((holder) => holder === PublicIp).length, 1);
  });

  it("are not given to an instance that is not there yet", async () => {
    const { AllocationId } = await allocate();
    await cloud.control("POST", "settings", { bootSeconds: 5 });
    const { InstanceId } = await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    assert.equal(await errorCode(associate(AllocationId, InstanceId)), "InvalidInstanceID");
    await cloud.control("POST", "settings", { bootSeconds: 0.1 });
  });

  it("that nobody holds have no instance, interface or association", async () => {
    const { AllocationId } = await allocate();
    const free = await address(AllocationId);
    assert.deepEqual(
      [free?.InstanceId, free?.NetworkInterfaceId, free?.AssociationId, free?.PublicIpv4Pool],
      [undefined, undefined, undefined, "amazon"],
    );
  });
});
