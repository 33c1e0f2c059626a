import { DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  AllocateAddressCommand,
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  RunInstancesCommand,
  type Tag,
} from "@aws-sdk/client-ec2";
import {
  CreateTargetGroupCommand,
  DescribeListenersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { allInstances } from "../instances.ts";
import type { World } from "./world.ts";

/** Something in AWS: what it is, and the generation that it belongs to and may leave with. */
export interface Thing {
  readonly what: string;
  readonly generation: string | undefined;
  /** The server that a root volume ends with. */
  readonly server?: string | undefined;
}

/** Everything in AWS that a site may lose, by id. */
export type Inventory = ReadonlyMap<string, Thing>;

export async function inventoryOf(world: World): Promise<Inventory> {
  const { ec2, balancing, scaling, dynamodb } = world;
  const things = new Map<string, Thing>();
  const add = (what: string, id: string | undefined, tags: readonly Tag[] = [], server?: string) => {
    if (id === undefined) return;
    const generation = tags.find(({ Key }) => Key === "handover:generation")?.Value;
    things.set(id, { what, generation, server });
  };
  const roots = new Map<string, { readonly tags: Tag[]; readonly server: string | undefined }>();
  for (const { InstanceId, Tags, State, RootDeviceName, BlockDeviceMappings = [] } of await allInstances(ec2)) {
    if (State?.Name === "terminated" || State?.Name === "shutting-down") continue;
    add("server", InstanceId, Tags);
    const root = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs?.VolumeId;
    if (root !== undefined) roots.set(root, { tags: Tags ?? [], server: InstanceId });
  }
  for (const { VolumeId = "" } of (await ec2.send(new DescribeVolumesCommand({}))).Volumes ?? []) {
    const root = roots.get(VolumeId);
    add(root === undefined ? "volume" : "root volume", VolumeId, root?.tags, root?.server);
  }
  for (const each of (await ec2.send(new DescribeAddressesCommand({}))).Addresses ?? [])
    add("address", each.AllocationId);
  for (const each of (await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }))).Snapshots ?? [])
    add("snapshot", each.SnapshotId);
  for (const each of (await ec2.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups ?? [])
    add("security group", each.GroupId);
  for (const each of (await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? []) add("subnet", each.SubnetId);
  for (const each of (await ec2.send(new DescribeVpcsCommand({}))).Vpcs ?? []) add("network", each.VpcId);
  for (const each of (await ec2.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates ?? [])
    add("launch template", each.LaunchTemplateId, each.Tags);
  for (const { AutoScalingGroupName, Tags } of (await scaling.send(new DescribeAutoScalingGroupsCommand({})))
    .AutoScalingGroups ?? [])
    add("array", AutoScalingGroupName, Tags);
  const { LoadBalancerArn } = await world.loadBalancer();
  add("load balancer", LoadBalancerArn);
  for (const each of (await balancing.send(new DescribeListenersCommand({ LoadBalancerArn }))).Listeners ?? [])
    add("listener", each.ListenerArn);
  const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
  const ResourceArns = TargetGroups.map(({ TargetGroupArn = "" }) => TargetGroupArn);
  for (const each of (await balancing.send(new DescribeTagsCommand({ ResourceArns }))).TagDescriptions ?? [])
    add("target group", each.ResourceArn, each.Tags);
  for (const name of (await dynamodb.send(new ListTablesCommand({}))).TableNames ?? []) add("table", name);
  return things;
}

/**
 * What was there before and is not any more, although it had to stay: everything but the generation that left, and what the
 * event itself took.
 */
export function lost(
  before: Inventory,
  after: Inventory,
  { left, took }: { readonly left: string | undefined; readonly took: ReadonlySet<string> },
): string[] {
  return [...before].flatMap(([id, { what, generation, server = id }]) => {
    const mayGo = took.has(id) || took.has(server) || (left !== undefined && generation === left);
    return mayGo || after.has(id) ? [] : [`${what} ${id} is gone`];
  });
}

/** Lets another owner have a bit of everything in the same account. @returns the ids */
export async function neighbour({ ec2, balancing }: World): Promise<ReadonlySet<string>> {
  const { Images: [image] = [] } = await ec2.send(new DescribeImagesCommand({}));
  const { Vpcs: [vpc] = [] } = await ec2.send(new DescribeVpcsCommand({}));
  const { Subnets: [subnet] = [] } = await ec2.send(
    new DescribeSubnetsCommand({ Filters: [{ Name: "vpc-id", Values: [vpc?.VpcId ?? ""] }] }),
  );
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ...{ ImageId: image?.ImageId, InstanceType: "t3.small", MinCount: 1, MaxCount: 1 },
      SubnetId: subnet?.SubnetId,
    }),
  );
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: subnet?.AvailabilityZone ?? "us-east-1a", Size: 10 }),
  );
  const { AllocationId } = await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
  const { GroupId } = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: "neighbour", Description: "of another owner", VpcId: vpc?.VpcId }),
  );
  const { TargetGroups: [group] = [] } = await balancing.send(
    new CreateTargetGroupCommand({ Name: "neighbour", Protocol: "HTTP", Port: 80, VpcId: vpc?.VpcId }),
  );
  const ids = [...Instances.map(({ InstanceId }) => InstanceId), VolumeId, AllocationId, GroupId];
  return new Set([...ids, group?.TargetGroupArn].flatMap((id) => (id === undefined ? [] : [id])));
}
