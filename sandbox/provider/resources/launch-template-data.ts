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
  "description",
  "imageId",
  "instanceType",
  "keyName",
  "metadataOptions",
  "monitoring",
  "networkInterfaces",
  "tagSpecifications",
  "userData",
  "vpcSecurityGroupIds",
] as const satisfies readonly (keyof Inputs)[];

export function templateData(inputs: Inputs): RequestLaunchTemplateData {
  const { metadataOptions: metadata } = inputs;
  return {
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
  const metadata = data.MetadataOptions;
  return {
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
