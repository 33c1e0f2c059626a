import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceCreditSpecificationsCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMetadataOptionsCommand,
  ModifyNetworkInterfaceAttributeCommand,
  MonitorInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  UnmonitorInstancesCommand,
  type Volume,
} from "@aws-sdk/client-ec2";
import { stringify } from "yaml";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { armImage, describe as describeInstance, launch, network, reaches, running, securityGroup } from "./world.ts";

describe("The cloud's instances", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests({ bootSeconds: 0.3, statusCheckSeconds: 0.3 });
  });
  after(() => cloud.stop());

  const volumesOf = async (instanceId: string | undefined): Promise<Volume[]> => {
    const filter = { Name: "attachment.instance-id", Values: [instanceId ?? ""] };
    return (await cloud.ec2.send(new DescribeVolumesCommand({ Filters: [filter] }))).Volumes ?? [];
  };

  it("are pending before they run, and their status checks are initializing before they are ok", async () => {
    const { InstanceId, State } = await launch(cloud.ec2);
    assert.equal(State?.Name, "pending");
    const seen = new Set<string>();
    await eventually(async () => {
      const { InstanceStatuses } = await cloud.ec2.send(
        new DescribeInstanceStatusCommand({ InstanceIds: [InstanceId ?? ""], IncludeAllInstances: true }),
      );
      const status = InstanceStatuses?.[0];
      seen.add(`${status?.InstanceState?.Name} ${status?.InstanceStatus?.Status}`);
      return status?.InstanceStatus?.Status === "ok";
    });
    assert.deepEqual([...seen], ["pending initializing", "running initializing", "running ok"]);
  });

  it("are told to be impaired by a check after they became so", async () => {
    const text = stringify([{ path: "/etc/handover/inputs.env", content: 'SIMULATE="impaired-after=0.3"\n' }]);
    const archive = [{ type: "text/cloud-config", content: `write_files:\n${text}` }];
    const userData = `#cloud-config-archive\n${stringify(archive)}`;
    const { InstanceId = "" } = await launch(cloud.ec2, { UserData: Buffer.from(userData).toString("base64") });
    const status = await eventually(async () => {
      const command = new DescribeInstanceStatusCommand({ InstanceIds: [InstanceId] });
      const [found] = (await cloud.ec2.send(command)).InstanceStatuses ?? [];
      return found?.InstanceStatus?.Status === "impaired" && found;
    });
    assert.deepEqual(
      [status.InstanceStatus?.Details?.[0]?.Status, status.SystemStatus?.Status, status.InstanceState?.Name],
      ["failed", "ok", "running"],
    );
  });

  it("are launched once per client token, and other parameters with the same token are an error", async () => {
    const token = { ClientToken: "one-launch" };
    const first = await launch(cloud.ec2, token);
    const again = await launch(cloud.ec2, token);
    assert.equal(again.InstanceId, first.InstanceId);
    assert.equal(
      await errorCode(launch(cloud.ec2, { ...token, InstanceType: "t3.small" })),
      "IdempotentParameterMismatch",
    );
  });

  it("need an image that exists and that their type can run", async () => {
    assert.equal(await errorCode(launch(cloud.ec2, { ImageId: "ami-00000000000000000" })), "InvalidAMIID.NotFound");
    assert.equal(
      await errorCode(launch(cloud.ec2, { ImageId: armImage, InstanceType: "t3.micro" })),
      "InvalidParameterValue",
    );
    await launch(cloud.ec2, { ImageId: armImage, InstanceType: "t4g.micro" });
  });

  it("leave nothing behind when their launch fails", async () => {
    const { subnetIds } = await network(cloud.ec2);
    const taken = await launch(cloud.ec2, { SubnetId: subnetIds[0], PrivateIpAddress: "127.64.0.77" });
    const count = async () => (await cloud.ec2.send(new DescribeInstancesCommand({}))).Reservations?.length;
    const before = await count();
    const again = launch(cloud.ec2, { SubnetId: subnetIds[0], PrivateIpAddress: taken.PrivateIpAddress });
    assert.equal(await errorCode(again), "InvalidIPAddress.InUse");
    assert.equal(await count(), before);
  });

  it("never get one of the first four addresses or the last one of a subnet", async () => {
    const { subnetIds } = await network(cloud.ec2);
    const [subnetId] = subnetIds;
    const { PrivateIpAddress } = await launch(cloud.ec2, { SubnetId: subnetId });
    assert.equal(PrivateIpAddress, "127.64.0.4");
    for (const address of ["127.64.0.0", "127.64.0.1", "127.64.0.3", "127.64.3.255", "127.64.4.9"]) {
      const code = await errorCode(launch(cloud.ec2, { SubnetId: subnetId, PrivateIpAddress: address }));
      assert.equal(code, "InvalidParameterValue", address);
    }
  });

  it("keep their private address until they are terminated, and then it is free", async () => {
    const { subnetIds } = await network(cloud.ec2);
    const place = { SubnetId: subnetIds[0], PrivateIpAddress: "127.64.0.50" };
    const { InstanceId } = await running(cloud.ec2, place);
    await cloud.control("POST", "settings", { shutdownSeconds: 0.5 });
    try {
      await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
      assert.equal(await errorCode(launch(cloud.ec2, place)), "InvalidIPAddress.InUse");
      await reaches(cloud.ec2, InstanceId, "terminated");
      await launch(cloud.ec2, place);
    } finally {
      await cloud.control("POST", "settings", { shutdownSeconds: 0.1 });
    }
  });

  it("show the security groups of their primary interface, and change both together", async () => {
    const { vpcId, subnetIds, securityGroupId } = await network(cloud.ec2);
    const other = await securityGroup(cloud.ec2, vpcId);
    const interfaces = [{ DeviceIndex: 0, SubnetId: subnetIds[0], Groups: [securityGroupId] }];
    const { InstanceId, SecurityGroups } = await launch(cloud.ec2, { NetworkInterfaces: interfaces });
    assert.deepEqual(
      SecurityGroups?.map(({ GroupId }) => GroupId),
      [securityGroupId],
    );
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, Groups: [other] }));
    const after = await describeInstance(cloud.ec2, InstanceId);
    assert.deepEqual(
      after.SecurityGroups?.map(({ GroupId }) => GroupId),
      [other],
    );
    assert.deepEqual(
      after.NetworkInterfaces?.[0]?.Groups?.map(({ GroupId }) => GroupId),
      [other],
    );
  });

  it("show the groups that their interface was given, and no association without a public address", async () => {
    const { vpcId, subnetIds, securityGroupId } = await network(cloud.ec2);
    const other = await securityGroup(cloud.ec2, vpcId);
    const { InstanceId, NetworkInterfaces } = await launch(cloud.ec2, {
      SubnetId: subnetIds[0],
      SecurityGroupIds: [securityGroupId],
    });
    assert.equal(NetworkInterfaces?.[0]?.Association, undefined);
    const NetworkInterfaceId = NetworkInterfaces?.[0]?.NetworkInterfaceId;
    await cloud.ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups: [other] }));
    const { SecurityGroups } = await describeInstance(cloud.ec2, InstanceId);
    assert.deepEqual(
      SecurityGroups?.map(({ GroupId }) => GroupId),
      [other],
    );
  });

  it("are monitored or not, as they are told", async () => {
    const { InstanceId, Monitoring } = await launch(cloud.ec2, { Monitoring: { Enabled: true } });
    assert.equal(Monitoring?.State, "enabled");
    const state = async () => (await describeInstance(cloud.ec2, InstanceId)).Monitoring?.State;
    await cloud.ec2.send(new UnmonitorInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal(await state(), "disabled");
    await cloud.ec2.send(new MonitorInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal(await state(), "enabled");
  });

  it("have their image's root volume, changed by what a mapping states, and further volumes", async () => {
    const { InstanceId } = await launch(cloud.ec2, {
      BlockDeviceMappings: [
        { DeviceName: "/dev/xvda", Ebs: { Encrypted: true } },
        { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 20, VolumeType: "io1", Iops: 200, DeleteOnTermination: false } },
      ],
      TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "of", Value: "test" }] }],
    });
    const volumes = await volumesOf(InstanceId);
    const shown = volumes.map(({ Size, VolumeType, Iops, Throughput, Encrypted, Attachments, Tags }) => ({
      device: Attachments?.[0]?.Device,
      kept: Attachments?.[0]?.DeleteOnTermination === false,
      Size,
      VolumeType,
      Iops,
      Throughput,
      Encrypted,
      tag: Tags?.[0]?.Value,
    }));
    assert.deepEqual(
      shown.sort((a, b) => (String(a.device) < String(b.device) ? -1 : 1)),
      [
        {
          device: "/dev/sdf",
          kept: true,
          Size: 20,
          VolumeType: "io1",
          Iops: 200,
          Throughput: undefined,
          Encrypted: false,
          tag: "test",
        },
        {
          device: "/dev/xvda",
          kept: false,
          Size: 8,
          VolumeType: "gp3",
          Iops: 3000,
          Throughput: 125,
          Encrypted: true,
          tag: "test",
        },
      ],
    );
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    await reaches(cloud.ec2, InstanceId, "terminated");
    const left = await cloud.ec2.send(new DescribeVolumesCommand({ Filters: [{ Name: "tag:of", Values: ["test"] }] }));
    assert.deepEqual(
      left.Volumes?.map(({ Size, State }) => [Size, State]),
      [[20, "available"]],
    );
  });

  it("shut down before they are terminated, give their Elastic IPs back at once and take their interfaces along", async () => {
    const { subnetIds } = await network(cloud.ec2);
    const { InstanceId } = await running(cloud.ec2, { SubnetId: subnetIds[0] });
    const { AllocationId } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    const { Addresses } = await cloud.ec2.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId ?? ""] }));
    assert.equal(Addresses?.[0]?.InstanceId, undefined);
    assert.equal(Addresses?.[0]?.AssociationId, undefined);
    await reaches(cloud.ec2, InstanceId, "terminated");
    const { NetworkInterfaces } = await cloud.ec2.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "subnet-id", Values: [subnetIds[0]] }] }),
    );
    assert.deepEqual(NetworkInterfaces, []);
    const again = await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal(again.TerminatingInstances?.[0]?.PreviousState?.Name, "terminated");
  });

  it("are terminated only when nothing protects them", async () => {
    const { InstanceId } = await launch(cloud.ec2, { DisableApiTermination: true });
    const ids = { InstanceIds: [InstanceId ?? ""] };
    assert.equal(await errorCode(cloud.ec2.send(new TerminateInstancesCommand(ids))), "OperationNotPermitted");
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value: false } }));
    await cloud.ec2.send(new TerminateInstancesCommand(ids));
  });

  it("change type and user data only while they are stopped", async () => {
    const { InstanceId } = await running(cloud.ec2);
    const ids = { InstanceIds: [InstanceId ?? ""] };
    const resize = () =>
      cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, InstanceType: { Value: "t3.large" } }));
    assert.equal(await errorCode(resize()), "IncorrectInstanceState");
    await cloud.ec2.send(new StopInstancesCommand(ids));
    await reaches(cloud.ec2, InstanceId, "stopped");
    await resize();
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, UserData: { Value: Buffer.from("new") } }));
    await cloud.ec2.send(new StartInstancesCommand(ids));
    assert.equal((await reaches(cloud.ec2, InstanceId, "running")).InstanceType, "t3.large");
    const { UserData } = await cloud.ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" }),
    );
    assert.equal(Buffer.from(UserData?.Value ?? "", "base64").toString(), "new");
  });

  it("keep the metadata options that a change leaves out", async () => {
    const { InstanceId } = await launch(cloud.ec2, { MetadataOptions: { HttpTokens: "required" } });
    await cloud.ec2.send(new ModifyInstanceMetadataOptionsCommand({ InstanceId, HttpPutResponseHopLimit: 2 }));
    const { MetadataOptions } = await describeInstance(cloud.ec2, InstanceId);
    assert.equal(MetadataOptions?.HttpTokens, "required");
    assert.equal(MetadataOptions?.HttpPutResponseHopLimit, 2);
  });

  it("change shutdown behaviour and source check, and keep their groups", async () => {
    const { subnetIds, securityGroupId } = await network(cloud.ec2);
    const { InstanceId } = await launch(cloud.ec2, { SubnetId: subnetIds[0], SecurityGroupIds: [securityGroupId] });
    await cloud.ec2.send(
      new ModifyInstanceAttributeCommand({ InstanceId, InstanceInitiatedShutdownBehavior: { Value: "terminate" } }),
    );
    await cloud.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, SourceDestCheck: { Value: false } }));
    const instance = await describeInstance(cloud.ec2, InstanceId);
    assert.equal(instance.SourceDestCheck, false);
    assert.equal(instance.SecurityGroups?.[0]?.GroupId, securityGroupId);
  });

  it("of type T3 have unlimited credits unless they are told otherwise", async () => {
    const [free, limited] = [
      await launch(cloud.ec2),
      await launch(cloud.ec2, { CreditSpecification: { CpuCredits: "standard" } }),
    ];
    const { InstanceCreditSpecifications } = await cloud.ec2.send(
      new DescribeInstanceCreditSpecificationsCommand({
        InstanceIds: [free.InstanceId ?? "", limited.InstanceId ?? ""],
      }),
    );
    assert.deepEqual(
      InstanceCreditSpecifications?.map(({ CpuCredits }) => CpuCredits),
      ["unlimited", "standard"],
    );
  });

  it("of one reservation are described one by one", async () => {
    const { Instances, ReservationId } = await cloud.ec2.send(
      new (await import("@aws-sdk/client-ec2")).RunInstancesCommand({
        ImageId: "ami-0a1b2c3d4e5f60001",
        InstanceType: "t3.micro",
        MinCount: 3,
        MaxCount: 3,
      }),
    );
    const second = Instances?.[1]?.InstanceId;
    assert.equal((await describeInstance(cloud.ec2, second)).InstanceId, second);
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    const whole = Reservations?.find((reservation) => reservation.ReservationId === ReservationId);
    assert.equal(whole?.Instances?.length, 3);
  });
});
