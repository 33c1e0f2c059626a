import type { RequestLaunchTemplateData, ResponseLaunchTemplateData } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { StateOf } from "../outputs.ts";
import type { InputsOf } from "../resource.ts";
import { tagList, tagMap } from "../tags.ts";

type Inputs = InputsOf<aws.ec2.LaunchTemplateArgs>;
type State = StateOf<aws.ec2.LaunchTemplate>;

/** The inputs that make up a version. */
export const versionFields = [
  "blockDeviceMappings",
  "cpuOptions",
  "creditSpecification",
  "description",
  "disableApiStop",
  "disableApiTermination",
  "ebsOptimized",
  "iamInstanceProfile",
  "imageId",
  "instanceInitiatedShutdownBehavior",
  "instanceType",
  "keyName",
  "maintenanceOptions",
  "metadataOptions",
  "monitoring",
  "networkInterfaces",
  "placement",
  "tagSpecifications",
  "userData",
  "vpcSecurityGroupIds",
] as const satisfies readonly (keyof Inputs)[];

export function templateData(inputs: Inputs): RequestLaunchTemplateData {
  const { metadataOptions: metadata, cpuOptions: cpu, iamInstanceProfile: profile, placement } = inputs;
  return {
    CpuOptions: cpu && {
      AmdSevSnp: cpu.amdSevSnp as "enabled" | undefined,
      CoreCount: cpu.coreCount,
      ThreadsPerCore: cpu.threadsPerCore,
    },
    CreditSpecification: inputs.creditSpecification && { CpuCredits: inputs.creditSpecification.cpuCredits },
    DisableApiStop: inputs.disableApiStop || undefined,
    DisableApiTermination: inputs.disableApiTermination || undefined,
    EbsOptimized: flag(inputs.ebsOptimized),
    IamInstanceProfile: profile && { Arn: profile.arn, Name: profile.name },
    InstanceInitiatedShutdownBehavior: inputs.instanceInitiatedShutdownBehavior as "stop" | undefined,
    MaintenanceOptions: inputs.maintenanceOptions && {
      AutoRecovery: inputs.maintenanceOptions.autoRecovery as "default" | undefined,
    },
    Placement: placement && {
      AvailabilityZone: placement.availabilityZone,
      GroupName: placement.groupName,
      Tenancy: placement.tenancy as "default" | undefined,
    },
    ImageId: inputs.imageId,
    InstanceType: inputs.instanceType as RequestLaunchTemplateData["InstanceType"],
    KeyName: inputs.keyName,
    UserData: inputs.userData,
    SecurityGroupIds: inputs.vpcSecurityGroupIds,
    Monitoring: inputs.monitoring && { Enabled: inputs.monitoring.enabled },
    MetadataOptions: metadata && {
      HttpEndpoint: metadata.httpEndpoint as "enabled" | undefined,
      HttpProtocolIpv6: metadata.httpProtocolIpv6 as "enabled" | undefined,
      HttpPutResponseHopLimit: metadata.httpPutResponseHopLimit,
      HttpTokens: metadata.httpTokens as "required" | undefined,
      InstanceMetadataTags: metadata.instanceMetadataTags as "enabled" | undefined,
    },
    NetworkInterfaces: inputs.networkInterfaces?.map((network) => ({
      DeviceIndex: network.deviceIndex ?? 0,
      AssociatePublicIpAddress: flag(network.associatePublicIpAddress),
      DeleteOnTermination: flag(network.deleteOnTermination),
      Description: network.description,
      Groups: network.securityGroups,
      NetworkInterfaceId: network.networkInterfaceId,
      PrivateIpAddress: network.privateIpAddress,
      SubnetId: network.subnetId,
    })),
    BlockDeviceMappings: inputs.blockDeviceMappings?.map(({ deviceName, ebs }) => ({
      DeviceName: deviceName,
      Ebs: ebs && {
        DeleteOnTermination: flag(ebs.deleteOnTermination),
        Encrypted: flag(ebs.encrypted),
        Iops: ebs.iops,
        KmsKeyId: ebs.kmsKeyId,
        SnapshotId: ebs.snapshotId,
        Throughput: ebs.throughput,
        VolumeSize: ebs.volumeSize,
        VolumeType: ebs.volumeType as "gp3" | undefined,
      },
    })),
    TagSpecifications: inputs.tagSpecifications?.map(({ resourceType, tags }) => ({
      ResourceType: resourceType as "instance" | undefined,
      Tags: tagList(tags),
    })),
  };
}

type Described = Omit<
  State,
  "arn" | "defaultVersion" | "description" | "latestVersion" | "name" | "namePrefix" | "tags"
>;

export function describeTemplate(data: ResponseLaunchTemplateData): Described {
  const { MetadataOptions: metadata, CpuOptions: cpu, IamInstanceProfile: profile, Placement: placement } = data;
  return {
    cpuOptions: cpu && { amdSevSnp: cpu.AmdSevSnp, coreCount: cpu.CoreCount, threadsPerCore: cpu.ThreadsPerCore },
    creditSpecification: data.CreditSpecification && { cpuCredits: data.CreditSpecification.CpuCredits },
    disableApiStop: data.DisableApiStop,
    disableApiTermination: data.DisableApiTermination,
    ebsOptimized: text(data.EbsOptimized),
    iamInstanceProfile: profile && { arn: profile.Arn, name: profile.Name },
    instanceInitiatedShutdownBehavior: data.InstanceInitiatedShutdownBehavior,
    maintenanceOptions: data.MaintenanceOptions && { autoRecovery: data.MaintenanceOptions.AutoRecovery },
    placement: placement && {
      availabilityZone: placement.AvailabilityZone,
      groupName: placement.GroupName,
      tenancy: placement.Tenancy,
    },
    blockDeviceMappings: data.BlockDeviceMappings?.map(({ DeviceName: deviceName, Ebs: ebs }) => ({
      deviceName,
      ebs: ebs && {
        deleteOnTermination: text(ebs.DeleteOnTermination),
        encrypted: text(ebs.Encrypted),
        iops: ebs.Iops ?? 0,
        kmsKeyId: ebs.KmsKeyId,
        snapshotId: ebs.SnapshotId,
        throughput: ebs.Throughput ?? 0,
        volumeInitializationRate: ebs.VolumeInitializationRate ?? 0,
        volumeSize: ebs.VolumeSize ?? 0,
        volumeType: ebs.VolumeType ?? "",
      },
    })),
    imageId: data.ImageId,
    instanceType: data.InstanceType,
    keyName: data.KeyName,
    metadataOptions: {
      httpEndpoint: metadata?.HttpEndpoint ?? "",
      httpProtocolIpv6: metadata?.HttpProtocolIpv6 ?? "",
      httpPutResponseHopLimit: metadata?.HttpPutResponseHopLimit ?? 0,
      httpTokens: metadata?.HttpTokens ?? "",
      instanceMetadataTags: metadata?.InstanceMetadataTags ?? "",
    },
    monitoring: data.Monitoring && { enabled: data.Monitoring.Enabled },
    networkInterfaces: data.NetworkInterfaces?.map((network) => ({
      associatePublicIpAddress: text(network.AssociatePublicIpAddress),
      deleteOnTermination: text(network.DeleteOnTermination),
      description: network.Description,
      deviceIndex: network.DeviceIndex,
      networkInterfaceId: network.NetworkInterfaceId,
      privateIpAddress: network.PrivateIpAddress,
      securityGroups: network.Groups,
      subnetId: network.SubnetId,
    })),
    tagSpecifications: data.TagSpecifications?.filter(({ ResourceType }) => ResourceType !== "launch-template").map(
      ({ ResourceType: resourceType, Tags }) => ({ resourceType, tags: tagMap(Tags) }),
    ),
    userData: data.UserData,
    vpcSecurityGroupIds: data.SecurityGroupIds,
  };
}

/** The official plugin's three-valued flags are text: "true", "false" or nothing. */
function flag(value: string | undefined): boolean | undefined {
  return value === undefined || value === "" ? undefined : value === "true";
}

function text(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
