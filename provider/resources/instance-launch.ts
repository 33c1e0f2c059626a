import {
  type BlockDeviceMapping,
  DescribeLaunchTemplateVersionsCommand,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import type { Creation, InputsOf } from "../resource.ts";
import { tagSpecifications } from "../tags.ts";

export type InstanceInputs = InputsOf<aws.ec2.InstanceArgs>;

/** Launches, or takes what a creation that a crash cut off has launched; never one that was terminated since. */
export async function launch(inputs: InstanceInputs, creation: Creation): Promise<string> {
  const { cloud, signal } = creation;
  const request = await runInstances(inputs, cloud);
  for (let attempt = 0; ; attempt += 1) {
    const command = new RunInstancesCommand({ ...request, ClientToken: creation.token(attempt) });
    // AWS answers with the terminated instance, or with this error.
    const answer = await unless(["IdempotentInstanceTerminated"], cloud.ec2.send(command));
    if (answer === undefined) continue;
    const id = answer.Instances?.[0]?.InstanceId ?? "";
    const found = await cloud.instances.waitFor(id, (instance) => instance, {
      what: `${id} to be known`,
      timeoutSeconds: 120,
      signal,
    });
    if (!wasTerminatedBefore(found)) return id;
  }
}

function wasTerminatedBefore({ State, StateReason }: Instance): boolean {
  const isGone = State?.Name === "terminated" || State?.Name === "shutting-down";
  return isGone && StateReason?.Code === "Client.UserInitiatedShutdown";
}

async function runInstances(inputs: InstanceInputs, cloud: Cloud): Promise<RunInstancesCommandInput> {
  const { metadataOptions, launchTemplate: template, iamInstanceProfile } = inputs;
  const userData = inputs.userDataBase64 ?? (inputs.userData && Buffer.from(inputs.userData).toString("base64"));
  const mappings = await devices(inputs, cloud);
  return {
    MinCount: 1,
    MaxCount: 1,
    ImageId: inputs.ami,
    InstanceType: inputs.instanceType as RunInstancesCommandInput["InstanceType"],
    KeyName: inputs.keyName,
    UserData: userData,
    ...networkOf(inputs),
    Placement: placementOf(inputs),
    ...(template !== undefined && {
      LaunchTemplate: {
        ...(template.id ? { LaunchTemplateId: template.id } : { LaunchTemplateName: template.name }),
        Version: template.version,
      },
    }),
    ...(iamInstanceProfile !== undefined && { IamInstanceProfile: { Name: String(iamInstanceProfile) } }),
    ...(inputs.monitoring !== undefined && { Monitoring: { Enabled: inputs.monitoring } }),
    CreditSpecification: inputs.creditSpecification && { CpuCredits: inputs.creditSpecification.cpuCredits },
    DisableApiStop: inputs.disableApiStop,
    DisableApiTermination: inputs.disableApiTermination,
    EbsOptimized: inputs.ebsOptimized,
    InstanceInitiatedShutdownBehavior: inputs.instanceInitiatedShutdownBehavior as "stop" | undefined,
    MetadataOptions: metadataOptions && {
      HttpEndpoint: (metadataOptions.httpEndpoint ?? "enabled") as "enabled",
      HttpProtocolIpv6: metadataOptions.httpProtocolIpv6 as "enabled",
      HttpPutResponseHopLimit: metadataOptions.httpPutResponseHopLimit,
      HttpTokens: metadataOptions.httpTokens as "required",
      InstanceMetadataTags: metadataOptions.instanceMetadataTags as "enabled",
    },
    BlockDeviceMappings: mappings.length === 0 ? undefined : mappings,
    TagSpecifications: [
      ...(tagSpecifications("instance", inputs.tags) ?? []),
      ...(tagSpecifications("volume", inputs.volumeTags) ?? []),
    ],
  };
}

function networkOf({ associatePublicIpAddress, subnetId, privateIp, vpcSecurityGroupIds }: InstanceInputs) {
  const placed = { SubnetId: subnetId, PrivateIpAddress: privateIp };
  if (associatePublicIpAddress === undefined) return { ...placed, SecurityGroupIds: vpcSecurityGroupIds };
  // Only the network interface can say whether there is a public address.
  const primary = { DeviceIndex: 0, AssociatePublicIpAddress: associatePublicIpAddress, DeleteOnTermination: true };
  return { NetworkInterfaces: [{ ...primary, Groups: vpcSecurityGroupIds, ...placed }] };
}

function placementOf({ availabilityZone, placementGroup, tenancy }: InstanceInputs) {
  if (availabilityZone === undefined && placementGroup === undefined && tenancy === undefined) return undefined;
  return { AvailabilityZone: availabilityZone, GroupName: placementGroup, Tenancy: tenancy as "default" | undefined };
}

interface Disk {
  readonly deleteOnTermination?: boolean;
  readonly encrypted?: boolean;
  readonly iops?: number;
  readonly kmsKeyId?: string;
  readonly snapshotId?: string;
  readonly throughput?: number;
  readonly volumeSize?: number;
  readonly volumeType?: string;
}

async function devices(inputs: InstanceInputs, cloud: Cloud): Promise<BlockDeviceMapping[]> {
  const { rootBlockDevice: root, ebsBlockDevices = [] } = inputs;
  return [
    ...(root === undefined ? [] : [device(await rootDeviceName(inputs, cloud), root)]),
    ...ebsBlockDevices.map((disk) => device(disk.deviceName, disk)),
  ];
}

function device(DeviceName: string | undefined, disk: Disk): BlockDeviceMapping {
  return {
    DeviceName,
    Ebs: {
      DeleteOnTermination: disk.deleteOnTermination,
      Encrypted: disk.encrypted,
      Iops: disk.iops,
      KmsKeyId: disk.kmsKeyId,
      SnapshotId: disk.snapshotId,
      Throughput: disk.throughput,
      VolumeSize: disk.volumeSize,
      VolumeType: disk.volumeType as "gp3" | undefined,
    },
  };
}

async function rootDeviceName({ ami, launchTemplate }: InstanceInputs, cloud: Cloud): Promise<string | undefined> {
  const id = ami ?? (await imageOf(launchTemplate, cloud)) ?? "";
  const image = await cloud.images.load(id);
  if (image === undefined) throw new Error(`There is no image ${id}.`);
  return image.RootDeviceName;
}

async function imageOf(template: InstanceInputs["launchTemplate"], cloud: Cloud): Promise<string | undefined> {
  const command = new DescribeLaunchTemplateVersionsCommand({
    ...(template?.id ? { LaunchTemplateId: template.id } : { LaunchTemplateName: template?.name }),
    Versions: [template?.version ?? "$Default"],
  });
  return (await cloud.ec2.send(command)).LaunchTemplateVersions?.[0]?.LaunchTemplateData?.ImageId;
}
