import { DescribeInstanceAttributeCommand, type Instance } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import type { StateOf } from "../outputs.ts";
import type { Existing } from "../resource.ts";
import { tagMap } from "../tags.ts";

export async function describeInstance(
  existing: Existing<aws.ec2.Instance>,
): Promise<StateOf<aws.ec2.Instance> | undefined> {
  const { id, cloud } = existing;
  const found = await cloud.instances.describe(id);
  const state = found?.State?.Name ?? "terminated";
  if (found === undefined || state === "terminated" || state === "shutting-down") return undefined;
  const [rootBlockDevice, attributes] = await Promise.all([rootDevice(found, cloud), attributesOf(existing)]);
  const interfaces = found.NetworkInterfaces ?? [];
  const primary = interfaces.find(({ Attachment }) => Attachment?.DeviceIndex === 0) ?? interfaces[0];
  const { MetadataOptions: metadata, CpuOptions: cpu, PrivateDnsNameOptions: dnsName } = found;
  return {
    ...attributes,
    ami: found.ImageId ?? "",
    arn: `arn:aws:ec2:${cloud.region}:${primary?.OwnerId ?? (await cloud.account())}:instance/${id}`,
    associatePublicIpAddress: primary?.Association?.IpOwnerId === "amazon",
    availabilityZone: found.Placement?.AvailabilityZone ?? "",
    capacityReservationSpecification: {
      capacityReservationPreference: found.CapacityReservationSpecification?.CapacityReservationPreference ?? "open",
    },
    cpuOptions: {
      amdSevSnp: cpu?.AmdSevSnp ?? "",
      coreCount: cpu?.CoreCount ?? 0,
      nestedVirtualization: cpu?.NestedVirtualization ?? "",
      threadsPerCore: cpu?.ThreadsPerCore ?? 0,
    },
    disableApiStop: false,
    ebsBlockDevices: [],
    ebsOptimized: found.EbsOptimized ?? false,
    enablePrimaryIpv6: false,
    enclaveOptions: { enabled: found.EnclaveOptions?.Enabled ?? false },
    ephemeralBlockDevices: [],
    hibernation: found.HibernationOptions?.Configured ?? false,
    hostId: found.Placement?.HostId ?? "",
    hostResourceGroupArn: found.Placement?.HostResourceGroupArn ?? "",
    iamInstanceProfile: found.IamInstanceProfile?.Arn?.split("/").at(-1) ?? "",
    instanceInitiatedShutdownBehavior: "stop",
    instanceLifecycle: found.InstanceLifecycle ?? "",
    instanceMarketOptions: { marketType: "", spotOptions: noSpotOptions },
    instanceState: state,
    instanceType: found.InstanceType ?? "",
    ipv6AddressCount: 0,
    ipv6Addresses: [],
    keyName: found.KeyName ?? "",
    maintenanceOptions: { autoRecovery: found.MaintenanceOptions?.AutoRecovery ?? "default" },
    metadataOptions: {
      httpEndpoint: metadata?.HttpEndpoint ?? "enabled",
      httpProtocolIpv6: metadata?.HttpProtocolIpv6 ?? "disabled",
      httpPutResponseHopLimit: metadata?.HttpPutResponseHopLimit ?? 1,
      httpTokens: metadata?.HttpTokens ?? "optional",
      instanceMetadataTags: metadata?.InstanceMetadataTags ?? "disabled",
    },
    monitoring: found.Monitoring?.State === "enabled" || found.Monitoring?.State === "pending",
    networkInterfaces: [],
    outpostArn: found.OutpostArn ?? "",
    passwordData: "",
    placementGroup: found.Placement?.GroupName ?? "",
    placementGroupId: found.Placement?.GroupId ?? "",
    placementPartitionNumber: found.Placement?.PartitionNumber ?? 0,
    primaryNetworkInterface: {
      deleteOnTermination: primary?.Attachment?.DeleteOnTermination ?? true,
      networkInterfaceId: primary?.NetworkInterfaceId ?? "",
    },
    primaryNetworkInterfaceId: primary?.NetworkInterfaceId ?? "",
    privateDns: found.PrivateDnsName ?? "",
    privateDnsNameOptions: {
      enableResourceNameDnsARecord: dnsName?.EnableResourceNameDnsARecord ?? false,
      enableResourceNameDnsAaaaRecord: dnsName?.EnableResourceNameDnsAAAARecord ?? false,
      hostnameType: dnsName?.HostnameType ?? "ip-name",
    },
    privateIp: found.PrivateIpAddress ?? "",
    publicDns: found.PublicDnsName ?? "",
    publicIp: found.PublicIpAddress ?? "",
    rootBlockDevice,
    secondaryNetworkInterfaces: [],
    secondaryPrivateIps: [],
    securityGroups: [],
    sourceDestCheck: primary?.SourceDestCheck ?? found.SourceDestCheck ?? true,
    spotInstanceRequestId: found.SpotInstanceRequestId ?? "",
    subnetId: found.SubnetId ?? "",
    tags: tagMap(found.Tags),
    tenancy: found.Placement?.Tenancy ?? "default",
    vpcSecurityGroupIds: groupsOf(found),
  };
}

const noSpotOptions = {
  instanceInterruptionBehavior: "",
  maxPrice: "",
  spotInstanceType: "",
  validUntil: "",
};

function groupsOf({ NetworkInterfaces, SecurityGroups }: Instance): string[] {
  const groups = NetworkInterfaces?.[0]?.Groups ?? [];
  return [...(groups.length > 0 ? groups : (SecurityGroups ?? []))].map(({ GroupId = "" }) => GroupId).sort();
}

async function rootDevice(found: Instance, cloud: Cloud): Promise<StateOf<aws.ec2.Instance>["rootBlockDevice"]> {
  const mapping = found.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === found.RootDeviceName);
  const volumeId = mapping?.Ebs?.VolumeId ?? "";
  const volume = volumeId === "" ? undefined : await cloud.volumes.find(volumeId);
  const tags = tagMap(volume?.Tags);
  return {
    deleteOnTermination: mapping?.Ebs?.DeleteOnTermination ?? true,
    deviceName: mapping?.DeviceName ?? found.RootDeviceName ?? "",
    encrypted: volume?.Encrypted ?? false,
    iops: volume?.Iops ?? 0,
    kmsKeyId: volume?.KmsKeyId ?? "",
    tags,
    tagsAll: tags ?? {},
    throughput: volume?.Throughput ?? 0,
    volumeId,
    volumeSize: volume?.Size ?? 0,
    volumeType: volume?.VolumeType ?? "",
  };
}

/** What `describe-instances` does not say. */
async function attributesOf({ id, cloud, written, state }: Existing<aws.ec2.Instance>) {
  if (written !== undefined) {
    const { userData, userDataBase64 = "", disableApiTermination = false } = written;
    return { userData, userDataBase64, disableApiTermination };
  }
  const ask = (Attribute: "userData" | "disableApiTermination") =>
    cloud.ec2.send(new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute }));
  const [{ UserData }, { DisableApiTermination }] = await Promise.all([ask("userData"), ask("disableApiTermination")]);
  const encoded = UserData?.Value ?? "";
  const isBase64 = (state.userDataBase64 ?? "") !== "";
  return {
    userData: isBase64 || encoded === "" ? undefined : Buffer.from(encoded, "base64").toString(),
    userDataBase64: isBase64 ? encoded : "",
    disableApiTermination: DisableApiTermination?.Value ?? false,
  };
}
