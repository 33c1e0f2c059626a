import type { Instance, InstanceBlockDeviceMapping, Volume } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import type { StateOf } from "../outputs.ts";
import type { Existing } from "../resource.ts";
import { tagMap } from "../tags.ts";

type State = StateOf<aws.ec2.Instance>;

/** The volumes as a program says them: those beside the root only where it does, others may come and go. */
export async function describeDevices(
  found: Instance,
  { cloud, state }: Existing<aws.ec2.Instance>,
): Promise<Pick<State, "ebsBlockDevices" | "rootBlockDevice" | "volumeTags">> {
  const isImported = state.ami === undefined && state.launchTemplate === undefined;
  const saysDevices = isImported || (state.ebsBlockDevices ?? []).length > 0;
  const mappings = (found.BlockDeviceMappings ?? []).filter(
    ({ DeviceName }) => saysDevices || state.volumeTags !== undefined || DeviceName === found.RootDeviceName,
  );
  const volumes = await Promise.all(mappings.map((mapping) => volumeOf(mapping, cloud)));
  const disks = mappings.map((mapping, index) =>
    describeDevice(mapping, volumes[index], state.volumeTags === undefined),
  );
  const isRoot = ({ deviceName }: { deviceName: string }) => deviceName === found.RootDeviceName;
  const { snapshotId: _, ...root } =
    disks.find(isRoot) ?? describeDevice({ DeviceName: found.RootDeviceName }, {}, false);
  const volumeTags = Object.assign({}, ...volumes.map((volume) => tagMap(volume?.Tags) ?? {}));
  return {
    ebsBlockDevices: saysDevices ? disks.filter((disk) => !isRoot(disk)) : [],
    rootBlockDevice: root,
    ...(state.volumeTags !== undefined && { volumeTags }),
  };
}

async function volumeOf({ Ebs }: InstanceBlockDeviceMapping, cloud: Cloud): Promise<Volume | undefined> {
  return Ebs?.VolumeId === undefined ? undefined : cloud.volumes.load(Ebs.VolumeId);
}

function describeDevice(mapping: InstanceBlockDeviceMapping, volume: Volume | undefined, hasOwnTags: boolean) {
  const tags = hasOwnTags ? tagMap(volume?.Tags) : undefined;
  return {
    deleteOnTermination: mapping.Ebs?.DeleteOnTermination ?? true,
    deviceName: mapping.DeviceName ?? "",
    encrypted: volume?.Encrypted ?? false,
    iops: volume?.Iops ?? 0,
    kmsKeyId: volume?.KmsKeyId ?? "",
    snapshotId: volume?.SnapshotId ?? "",
    tags,
    tagsAll: tags ?? {},
    throughput: volume?.Throughput ?? 0,
    volumeId: mapping.Ebs?.VolumeId ?? "",
    volumeSize: volume?.Size ?? 0,
    volumeType: volume?.VolumeType ?? "",
  };
}
