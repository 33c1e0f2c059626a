import assert from "node:assert/strict";
import { CreateAutoScalingGroupCommand, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AttachNetworkInterfaceCommand,
  CreateLaunchTemplateCommand,
  CreateNetworkInterfaceCommand,
  DescribeNetworkInterfacesCommand,
  DisassociateAddressCommand,
  type Instance,
  ModifyNetworkInterfaceAttributeCommand,
  ModifySubnetAttributeCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { cloudForTests, eventually, type TestCloud } from "../support.ts";
import { describe as describeInstance, image, network, reaches, running, uniqueName, type World } from "./world.ts";

describe("Public addresses that AWS assigns by itself", () => {
  let cloud: TestCloud;
  let world: World;
  /** A subnet whose instances have one unless their launch says otherwise. */
  let mapped: string;
  let unmapped: string;
  before(async () => {
    cloud = await cloudForTests({ publicAddressSeconds: 0.2 });
    world = await network(cloud.ec2);
    [mapped, unmapped] = world.subnetIds;
    await cloud.ec2.send(new ModifySubnetAttributeCommand({ SubnetId: mapped, MapPublicIpOnLaunch: { Value: true } }));
  });
  after(() => cloud.stop());
  afterEach(() => cloud.control("POST", "settings", { publicAddressSeconds: 0.2 }));

  const inSubnet = (SubnetId: string, AssociatePublicIpAddress?: boolean): Partial<RunInstancesCommandInput> => ({
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress }],
  });
  const server = (input = inSubnet(unmapped, true)) => running(cloud.ec2, input);
  const publicIp = async ({ InstanceId }: Instance) => (await describeInstance(cloud.ec2, InstanceId)).PublicIpAddress;
  const allocate = async () => (await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }))).AllocationId ?? "";
  const associate = (AllocationId: string, { InstanceId }: Instance) =>
    cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: true }));
  const returned = (instance: Instance) =>
    eventually(async () => await publicIp(instance), `${instance.InstanceId} has an address again`);

  it("are given where a launch asks for one, or leaves it to a subnet that gives them", async () => {
    const isGiven = async (input: Partial<RunInstancesCommandInput>) =>
      (await publicIp(await server(input))) !== undefined;
    assert.equal(await isGiven(inSubnet(unmapped, true)), true);
    assert.equal(await isGiven(inSubnet(mapped, false)), false);
    assert.equal(await isGiven(inSubnet(mapped)), true);
    assert.equal(await isGiven(inSubnet(unmapped)), false);
    assert.equal(await isGiven({ SubnetId: mapped }), true);
    assert.equal(await isGiven({ SubnetId: unmapped }), false);
  });

  it("are given by a launch template, and to an array", async () => {
    for (const AssociatePublicIpAddress of [true, false]) {
      const LaunchTemplateName = uniqueName("template");
      const NetworkInterfaces = [{ DeviceIndex: 0, AssociatePublicIpAddress }];
      const LaunchTemplateData = { ImageId: image, InstanceType: "t3.micro" as const };
      await cloud.ec2.send(
        new CreateLaunchTemplateCommand({
          LaunchTemplateName,
          LaunchTemplateData: { ...LaunchTemplateData, NetworkInterfaces },
        }),
      );
      const AutoScalingGroupName = uniqueName("array");
      await cloud.autoScaling.send(
        new CreateAutoScalingGroupCommand({
          ...{
            AutoScalingGroupName,
            MinSize: 1,
            MaxSize: 1,
            VPCZoneIdentifier: AssociatePublicIpAddress ? unmapped : mapped,
          },
          LaunchTemplate: { LaunchTemplateName },
        }),
      );
      const InstanceId = await eventually(async () => {
        const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
        const [found] = (await cloud.autoScaling.send(command)).AutoScalingGroups?.[0]?.Instances ?? [];
        return found?.LifecycleState === "InService" && found.InstanceId;
      }, "a server in service");
      assert.equal((await publicIp({ InstanceId })) !== undefined, AssociatePublicIpAddress);
    }
  });

  it("are of nobody's network, each another, and are shown as Amazon's on the interface", async () => {
    const [one, other] = [await server(), await server()];
    const address = await publicIp(one);
    assert.match(address ?? "", /^198\.1[89]\./);
    assert.notEqual(await publicIp(other), address);
    const Filters = [{ Name: "attachment.instance-id", Values: [one.InstanceId ?? ""] }];
    const { NetworkInterfaces } = await cloud.ec2.send(new DescribeNetworkInterfacesCommand({ Filters }));
    const { IpOwnerId, PublicIp, AllocationId } = NetworkInterfaces?.[0]?.Association ?? {};
    assert.deepEqual([IpOwnerId, PublicIp, AllocationId], ["amazon", address, undefined]);
    const shown = (await describeInstance(cloud.ec2, one.InstanceId)).NetworkInterfaces?.[0]?.Association;
    assert.deepEqual([shown?.IpOwnerId, shown?.PublicIp], ["amazon", address]);
  });

  it("are lost by a stopped instance, which gets another when it is started", async () => {
    const instance = await server();
    const InstanceIds = [instance.InstanceId ?? ""];
    const before = await publicIp(instance);
    await cloud.ec2.send(new StopInstancesCommand({ InstanceIds }));
    assert.equal(await publicIp(instance), undefined);
    await reaches(cloud.ec2, instance.InstanceId, "stopped");
    await cloud.ec2.send(new StartInstancesCommand({ InstanceIds }));
    const started = await reaches(cloud.ec2, instance.InstanceId, "running");
    assert.notEqual(started.PublicIpAddress ?? before, before);
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds }));
    assert.equal(await publicIp(instance), undefined);
  });

  it("are gone for good when an Elastic IP takes their place, which a stopped instance keeps", async () => {
    const instance = await server();
    const before = await publicIp(instance);
    const AllocationId = await allocate();
    const { AssociationId } = await associate(AllocationId, instance);
    assert.match((await publicIp(instance)) ?? "", /^127\./);
    await cloud.ec2.send(new StopInstancesCommand({ InstanceIds: [instance.InstanceId ?? ""] }));
    await reaches(cloud.ec2, instance.InstanceId, "stopped");
    assert.match((await publicIp(instance)) ?? "", /^127\./);
    await cloud.ec2.send(new StartInstancesCommand({ InstanceIds: [instance.InstanceId ?? ""] }));
    await reaches(cloud.ec2, instance.InstanceId, "running");
    await cloud.ec2.send(new DisassociateAddressCommand({ AssociationId }));
    const after = await returned(instance);
    assert.match(after, /^198\./);
    assert.notEqual(after, before);
  });

  it("come back after a while when the Elastic IP has moved on, and not to those that had none", async () => {
    const [blue, without, green] = [await server(), await server(inSubnet(unmapped, false)), await server()];
    const [first, second] = [await allocate(), await allocate()];
    await associate(first, blue);
    await associate(second, without);
    await cloud.control("POST", "settings", { publicAddressSeconds: 600 });
    await associate(first, green);
    assert.equal(await publicIp(blue), undefined, "there is a time without an address");
    await associate(first, blue);
    await cloud.control("POST", "settings", { publicAddressSeconds: 0.2 });
    await associate(second, green);
    await associate(first, green);
    assert.match(await returned(blue), /^198\./);
    assert.equal(await publicIp(without), undefined);
    const holder = await publicIp(green);
    assert.match(holder ?? "", /^127\./, "what comes back does not displace an Elastic IP");
  });

  it("come back a while after the last Elastic IP has left, however soon that is after one before", async () => {
    const [blue, clock] = [await server(), await server()];
    const [moved, early] = [await associate(await allocate(), blue), await associate(await allocate(), clock)];
    const disassociate = ({ AssociationId }: { AssociationId?: string }) =>
      cloud.ec2.send(new DisassociateAddressCommand({ AssociationId }));
    await disassociate(moved);
    await disassociate(early);
    const again = await associate(await allocate(), blue);
    await cloud.control("POST", "settings", { publicAddressSeconds: 600 });
    await disassociate(again);
    assert.match(await returned(clock), /^198\./);
    assert.equal(await publicIp(blue), undefined);
  });

  it("do not come back to an instance with another interface", async () => {
    const [instance, other] = [await server(), await server()];
    const { AssociationId } = await associate(await allocate(), instance);
    const { NetworkInterface } = await cloud.ec2.send(new CreateNetworkInterfaceCommand({ SubnetId: unmapped }));
    const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId;
    await cloud.ec2.send(
      new AttachNetworkInterfaceCommand({ NetworkInterfaceId, InstanceId: instance.InstanceId, DeviceIndex: 1 }),
    );
    await cloud.ec2.send(new DisassociateAddressCommand({ AssociationId }));
    // What leaves later comes back later.
    const later = await associate(await allocate(), other);
    await cloud.ec2.send(new DisassociateAddressCommand({ AssociationId: later.AssociationId }));
    await returned(other);
    assert.equal(await publicIp(instance), undefined);
  });

  it("are switched on and off while an instance runs", async () => {
    const instance = await server(inSubnet(unmapped, false));
    const NetworkInterfaceId = instance.NetworkInterfaces?.[0]?.NetworkInterfaceId;
    const set = (AssociatePublicIpAddress: boolean) =>
      cloud.ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, AssociatePublicIpAddress }));
    await set(true);
    assert.match((await publicIp(instance)) ?? "", /^198\./);
    await set(false);
    assert.equal(await publicIp(instance), undefined);
  });
});
