import assert from "node:assert/strict";
import {
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import { CreateTableCommand, DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  CreateSnapshotCommand,
  CreateSubnetCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { DescribeTargetGroupsCommand, DescribeTargetHealthCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { image, launch, network, reaches, targetGroup, uniqueName } from "./world.ts";

/** Answers, one after the other, until one is the last. */
async function until<T>(look: () => Promise<T>, last: (answer: T) => boolean): Promise<T[]> {
  const seen: T[] = [];
  await eventually(async () => {
    const answer = await look();
    seen.push(answer);
    return last(answer);
  });
  return seen;
}

describe("The cloud's reads", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests({ staleReadSeconds: 0.4 });
  });
  after(() => cloud.stop());

  /** Changes what is late from now on, in seconds. */
  const late = (staleReadSeconds: number) => cloud.control("POST", "settings", { staleReadSeconds });

  async function settled<T>(act: () => Promise<T>): Promise<T> {
    await late(0);
    const made = await act();
    await late(0.4);
    return made;
  }

  const ec2 = (command: never) => (cloud.ec2 as { send(command: never): Promise<Record<string, never>> }).send(command);

  it("do not find what was just created at first, with the error that AWS has for its type, and then do", async () => {
    const { vpcId, subnetIds } = await settled(() => network(cloud.ec2));
    const { VolumeId } = await settled(() =>
      cloud.ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 })),
    );
    const kinds: [create: () => Promise<string | undefined>, describe: (id: string) => unknown, code: string][] = [
      [
        async () => (await cloud.ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc?.VpcId,
        (id) => new DescribeVpcsCommand({ VpcIds: [id] }),
        "InvalidVpcID.NotFound",
      ],
      [
        async () => {
          const command = new CreateSubnetCommand({ VpcId: vpcId, CidrBlock: "127.64.8.0/24" });
          return (await cloud.ec2.send(command)).Subnet?.SubnetId;
        },
        (id) => new DescribeSubnetsCommand({ SubnetIds: [id] }),
        "InvalidSubnetID.NotFound",
      ],
      [
        async () => {
          const command = new CreateSecurityGroupCommand({
            VpcId: vpcId,
            GroupName: uniqueName("late"),
            Description: "-",
          });
          return (await cloud.ec2.send(command)).GroupId;
        },
        (id) => new DescribeSecurityGroupsCommand({ GroupIds: [id] }),
        "InvalidGroup.NotFound",
      ],
      [
        async () => (await launch(cloud.ec2, { SubnetId: subnetIds[0] })).InstanceId,
        (id) => new DescribeInstancesCommand({ InstanceIds: [id] }),
        "InvalidInstanceID.NotFound",
      ],
      [
        async () => (await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }))).AllocationId,
        (id) => new DescribeAddressesCommand({ AllocationIds: [id] }),
        "InvalidAllocationID.NotFound",
      ],
      [
        async () => {
          const LaunchTemplateData = { ImageId: image };
          const command = new CreateLaunchTemplateCommand({
            LaunchTemplateName: uniqueName("late"),
            LaunchTemplateData,
          });
          return (await cloud.ec2.send(command)).LaunchTemplate?.LaunchTemplateId;
        },
        (id) => new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] }),
        "InvalidLaunchTemplateId.NotFound",
      ],
      [
        async () =>
          (await cloud.ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }))).VolumeId,
        (id) => new DescribeVolumesCommand({ VolumeIds: [id] }),
        "InvalidVolume.NotFound",
      ],
      [
        async () => (await cloud.ec2.send(new CreateSnapshotCommand({ VolumeId }))).SnapshotId,
        (id) => new DescribeSnapshotsCommand({ SnapshotIds: [id] }),
        "InvalidSnapshot.NotFound",
      ],
    ];
    for (const [create, describe, code] of kinds) {
      // A call may be up to date by chance.
      const seen = await eventually(async () => {
        const id = (await create()) ?? "";
        const codes = await until(
          () => errorCode(ec2(describe(id) as never)),
          (answer) => answer === "none",
        );
        return codes.length > 1 && codes;
      }, code);
      assert.deepEqual([...new Set(seen)].sort(), [code, "none"].sort());
    }
  });

  it("do not find a new table at first", async () => {
    const codes = await eventually(async () => {
      const TableName = uniqueName("late");
      await cloud.dynamodb.send(
        new CreateTableCommand({
          TableName,
          AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
          KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
          BillingMode: "PAY_PER_REQUEST",
        }),
      );
      const seen = await until(
        () => errorCode(cloud.dynamodb.send(new DescribeTableCommand({ TableName }))),
        (answer) => answer === "none",
      );
      return seen.length > 1 && seen;
    });
    assert.equal(codes[0], "ResourceNotFoundException");
  });

  it("find a new target group late too, and leave what is filtered for out without an error", async () => {
    const world = await settled(() => network(cloud.ec2));
    const codes = await eventually(async () => {
      const { TargetGroupArn = "" } = await targetGroup(cloud.elb, world);
      const command = new DescribeTargetGroupsCommand({ TargetGroupArns: [TargetGroupArn] });
      const seen = await until(
        () => errorCode(cloud.elb.send(command)),
        (answer) => answer === "none",
      );
      return seen.length > 1 && seen;
    });
    assert.equal(codes[0], "TargetGroupNotFoundException");
    const counts = await eventually(async () => {
      const { InstanceId = "" } = await launch(cloud.ec2);
      const command = new DescribeInstancesCommand({ Filters: [{ Name: "instance-id", Values: [InstanceId] }] });
      const seen = await until(
        async () => (await cloud.ec2.send(command)).Reservations?.length ?? 0,
        (count) => count === 1,
      );
      return seen.length > 1 && seen;
    });
    assert.equal(counts[0], 0);
  });

  it("show what was just changed as before", async () => {
    const { subnetIds } = await settled(() => network(cloud.ec2));
    const { AllocationId = "" } = await settled(() => cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" })));
    const [first, second] = await settled(async () => {
      const ids = [0, 1].map(async () => (await launch(cloud.ec2, { SubnetId: subnetIds[0] })).InstanceId ?? "");
      const both = await Promise.all(ids);
      for (const id of both) await reaches(cloud.ec2, id, "running");
      await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: both[0] }));
      return both;
    });
    const held = async () => {
      const { Addresses } = await cloud.ec2.send(new DescribeAddressesCommand({ AllocationIds: [AllocationId] }));
      return Addresses?.[0]?.InstanceId;
    };
    const holders = await eventually(async () => {
      await settled(() =>
        cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: first, AllowReassociation: true })),
      );
      await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: second, AllowReassociation: true }));
      const seen = await until(held, (holder) => holder === second);
      return seen.length > 1 && seen;
    });
    assert.deepEqual([...new Set(holders)], [first, second]);
    const stateOf = async () => {
      const command = new DescribeInstancesCommand({ InstanceIds: [second ?? ""] });
      return (await cloud.ec2.send(command)).Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "";
    };
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [second ?? ""] }));
    const states = await until(stateOf, (state) => state === "terminated");
    assert.ok(states.includes("running") || states.includes("shutting-down"), String(states));
  });

  it("tell of an array's suspended processes late", async () => {
    const { subnetIds } = await settled(() => network(cloud.ec2));
    const suspended = await eventually(async () => {
      const AutoScalingGroupName = uniqueName("late");
      await settled(async () => {
        const LaunchTemplateName = uniqueName("late");
        const LaunchTemplateData = { ImageId: image, InstanceType: "t3.micro" as const };
        await cloud.ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName, LaunchTemplateData }));
        const LaunchTemplate = { LaunchTemplateName, Version: "1" };
        const sizes = { MinSize: 0, MaxSize: 1, DesiredCapacity: 0, VPCZoneIdentifier: subnetIds[0] };
        await cloud.autoScaling.send(
          new CreateAutoScalingGroupCommand({ AutoScalingGroupName, LaunchTemplate, ...sizes }),
        );
      });
      await cloud.autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ["Launch"] }));
      const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
      const seen = await until(
        async () => (await cloud.autoScaling.send(command)).AutoScalingGroups?.[0]?.SuspendedProcesses?.length,
        (count) => count === 1,
      );
      return seen.length > 1 && seen;
    });
    assert.equal(suspended[0], 0);
  });

  it("tell of tags later than of what they are on", async () => {
    const seen = await eventually(async () => {
      const Tags = [{ Key: "Name", Value: "late" }];
      const { VolumeId = "" } = await cloud.ec2.send(
        new CreateVolumeCommand({
          AvailabilityZone: "us-east-1a",
          Size: 1,
          TagSpecifications: [{ ResourceType: "volume", Tags }],
        }),
      );
      const byId = new DescribeVolumesCommand({ Filters: [{ Name: "volume-id", Values: [VolumeId] }] });
      const tags = new DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: [VolumeId] }] });
      const looks = await until(
        async () => [
          (await cloud.ec2.send(byId)).Volumes?.[0]?.Tags?.length,
          (await cloud.ec2.send(tags)).Tags?.length,
        ],
        ([onVolume, alone]) => onVolume === 1 && alone === 1,
      );
      return (
        looks.some(([onVolume]) => onVolume === 0 || onVolume === undefined) &&
        looks.some(([, alone]) => alone === 0) &&
        looks
      );
    });
    assert.ok(seen.length > 1);
  });

  it("are of one account: a call that changes it is late in what it finds, and changes nothing then", async () => {
    const { subnetIds } = await settled(() => network(cloud.ec2));
    const instance = await settled(async () => {
      const { InstanceId } = await launch(cloud.ec2, { SubnetId: subnetIds[0] });
      return reaches(cloud.ec2, InstanceId, "running");
    });
    const codes = await eventually(async () => {
      const { AllocationId } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
      const command = new AssociateAddressCommand({ AllocationId, InstanceId: instance.InstanceId });
      const seen = await until(
        () => errorCode(cloud.ec2.send(command)),
        (answer) => answer === "none",
      );
      return seen.length > 1 && seen;
    });
    assert.deepEqual([...new Set(codes)], ["InvalidAllocationID.NotFound", "none"]);
  });

  it("see everything as it is again in the end, and nothing is late where nothing may be", async () => {
    const { vpcId } = await settled(() => network(cloud.ec2));
    await late(0);
    const { GroupId = "" } = await cloud.ec2.send(
      new CreateSecurityGroupCommand({ VpcId: vpcId, GroupName: uniqueName("late"), Description: "-" }),
    );
    assert.equal(await errorCode(cloud.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }))), "none");
    const health = new DescribeTargetHealthCommand({ TargetGroupArn: "arn:aws:elasticloadbalancing:none" });
    assert.equal(await errorCode(cloud.elb.send(health)), "TargetGroupNotFoundException");
  });
}).timeout(120_000);
