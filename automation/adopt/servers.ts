import { isDeepStrictEqual } from "node:util";
import type { Instance, Tag, Volume } from "@aws-sdk/client-ec2";
import { serverFields } from "../../stacks/config/server-schema.ts";
import type { Facts } from "./facts.ts";

/** The instances in the order of the generation's frontends: the first hold the Elastic IPs, and then by age. */
export function frontendsOf({ instances, addresses }: Facts): Instance[] {
  const holds = ({ InstanceId }: Instance) => addresses.some((address) => address.InstanceId === InstanceId);
  const key = (instance: Instance) =>
    [holds(instance) ? 0 : 1, instance.LaunchTime?.toISOString() ?? "", instance.InstanceId].join(" ");
  return instances.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The arguments that a generation's servers were launched with, by the keys of `handover:generations`. */
export function launchedWith(instance: Instance, volumes: readonly Volume[]) {
  const root = rootVolume(instance, volumes);
  return {
    imageId: instance.ImageId,
    instanceType: instance.InstanceType,
    iamInstanceProfile: instance.IamInstanceProfile?.Arn?.split("/").at(-1),
    keyName: instance.KeyName,
    rootBlockDevice: root && {
      volumeSize: root.Size,
      volumeType: root.VolumeType,
      ...(takesIops(root) && { iops: root.Iops }),
      ...(root.VolumeType === "gp3" && root.Throughput !== undefined && { throughput: root.Throughput }),
    },
  };
}

/** What the generation says of its servers where all of them have it; what some have alone, no generation can. */
export function commonSettings(facts: Facts) {
  const servers = frontendsOf(facts);
  const ofAll = <T>(read: (instance: Instance) => T | undefined): T | undefined => {
    const values = servers.map(read);
    return values.every((value) => isDeepStrictEqual(value, values[0])) ? values[0] : undefined;
  };
  const unless = <T>(usual: T, value: T | undefined) => (value === usual ? undefined : value);
  const tags = Object.fromEntries(
    ownTags(servers[0]?.Tags).filter(([key, value]) =>
      servers.every(({ Tags }) => ownTags(Tags).some(([other, same]) => other === key && same === value)),
    ),
  );
  return {
    ...(Object.keys(tags).length > 0 && { tags }),
    metadataHopLimit: unless(
      1,
      ofAll(({ MetadataOptions }) => MetadataOptions?.HttpPutResponseHopLimit),
    ),
    monitoring: ofAll(({ Monitoring }) => Monitoring?.State === "enabled") || undefined,
    cpuCredits: ofAll(({ InstanceId = "" }) => creditsIn(facts.serverAttributes[InstanceId]?.CpuCredits)),
    tenancy: ofAll(({ Placement }) => (Placement?.Tenancy === "dedicated" ? "dedicated" : undefined)),
    placementGroup: ofAll(({ Placement }) => Placement?.GroupName || undefined),
    kmsKeyId: ofAll((instance) => rootVolume(instance, facts.volumes)?.KmsKeyId),
  };
}

/** Those that a file may ask for: without the name, AWS's, and Handover's. */
export function ownTags(tags: readonly Tag[] = []): [key: string, value: string][] {
  return tags.flatMap(({ Key = "", Value = "" }): [string, string][] =>
    serverFields.tags.safeParse({ [Key]: Value }).success ? [[Key, Value]] : [],
  );
}

function creditsIn(value: unknown): "standard" | "unlimited" | undefined {
  return value === "standard" || value === "unlimited" ? value : undefined;
}

export function securityGroupsOf({ SecurityGroups = [] }: Instance): string[] {
  return SecurityGroups.flatMap(({ GroupId = [] }) => GroupId).sort();
}

/** Volumes beside the root, which a new server does not get. */
export function furtherVolumes(instance: Instance): string[] {
  const { BlockDeviceMappings = [], RootDeviceName } = instance;
  return BlockDeviceMappings.filter(({ DeviceName }) => DeviceName !== RootDeviceName).flatMap(
    ({ Ebs }) => Ebs?.VolumeId ?? [],
  );
}

/** Of gp2 AWS describes IOPS too, and takes none. */
function takesIops({ VolumeType, Iops }: Volume): boolean {
  return Iops !== undefined && VolumeType !== undefined && ["gp3", "io1", "io2"].includes(VolumeType);
}

export function rootVolume({ BlockDeviceMappings = [], RootDeviceName }: Instance, volumes: readonly Volume[]) {
  const mapping = BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName);
  return volumes.find(({ VolumeId }) => VolumeId !== undefined && VolumeId === mapping?.Ebs?.VolumeId);
}
