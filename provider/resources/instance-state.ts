import {
  DescribeInstanceAttributeCommand,
  DescribeInstanceCreditSpecificationsCommand,
  DescribeLaunchTemplatesCommand,
  type Instance,
  type InstanceAttributeName,
  type InstanceStateName,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import type { StateOf } from "../outputs.ts";
import type { Existing, Operation } from "../resource.ts";
import { tagMap } from "../tags.ts";
import { describeDevices } from "./instance-devices.ts";

type State = StateOf<aws.ec2.Instance>;

export async function describeInstance(
  existing: Existing<aws.ec2.Instance>,
): Promise<StateOf<aws.ec2.Instance> | undefined> {
  const { id, cloud } = existing;
  const found = await cloud.instances.describe(id);
  const state = found?.State?.Name ?? "terminated";
  if (found === undefined || state === "terminated" || state === "shutting-down") return undefined;
  const [devices, launchTemplate, attributes, creditSpecification] = await Promise.all([
    describeDevices(found, existing),
    launchTemplateOf(found, existing),
    attributesOf(existing),
    creditsOf(found, existing),
  ]);
  const interfaces = found.NetworkInterfaces ?? [];
  const primary = interfaces.find(({ Attachment }) => Attachment?.DeviceIndex === 0) ?? interfaces[0];
  const { MetadataOptions: metadata, CpuOptions: cpu, PrivateDnsNameOptions: dnsName } = found;
  return {
    ...attributes,
    ...devices,
    launchTemplate,
    ...(creditSpecification !== undefined && { creditSpecification }),
    ami: found.ImageId ?? "",
    arn: `arn:aws:ec2:${cloud.region}:${primary?.OwnerId ?? (await cloud.account())}:instance/${id}`,
    associatePublicIpAddress: primary?.Association !== undefined,
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
    ebsOptimized: found.EbsOptimized ?? false,
    enablePrimaryIpv6: false,
    enclaveOptions: { enabled: found.EnclaveOptions?.Enabled ?? false },
    ephemeralBlockDevices: [],
    hibernation: found.HibernationOptions?.Configured ?? false,
    hostId: found.Placement?.HostId ?? "",
    hostResourceGroupArn: found.Placement?.HostResourceGroupArn ?? "",
    iamInstanceProfile: found.IamInstanceProfile?.Arn?.split("/").at(-1) ?? "",
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

/** Reads the launch template from the instance's tags. `$Latest` and `$Default` are kept while they mean this version. */
async function launchTemplateOf(
  { Tags = [] }: Instance,
  { cloud, state }: Existing<aws.ec2.Instance>,
): Promise<State["launchTemplate"]> {
  const tag = (name: string) => Tags.find(({ Key }) => Key === `aws:ec2launchtemplate:${name}`)?.Value;
  const id = tag("id");
  const isOther = state.ami !== undefined && state.launchTemplate === undefined;
  if (id === undefined || isOther) return undefined;
  const call = cloud.ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] }));
  const found = (await unless(["InvalidLaunchTemplateId.NotFound"], call))?.LaunchTemplates?.[0];
  const version = tag("version") ?? "";
  const said = state.launchTemplate === undefined ? version : (state.launchTemplate.version ?? "$Default");
  const meaning = said === "$Latest" ? found?.LatestVersionNumber : found?.DefaultVersionNumber;
  const isSame = said.startsWith("$") && String(meaning) === version;
  return { id, name: found?.LaunchTemplateName ?? "", version: isSame ? said : version };
}

/** Attributes that `describe-instances` leaves out. Rare ones are read only if the program sets them. */
async function attributesOf({ id, cloud, written, state }: Existing<aws.ec2.Instance>) {
  if (written !== undefined) {
    const { userData, userDataBase64 = "", disableApiTermination = false } = written;
    const { disableApiStop = false, instanceInitiatedShutdownBehavior = "stop" } = written;
    return { userData, userDataBase64, disableApiTermination, disableApiStop, instanceInitiatedShutdownBehavior };
  }
  const isImported = state.ami === undefined && state.launchTemplate === undefined;
  const ask = (Attribute: InstanceAttributeName) =>
    cloud.ec2.send(new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute }));
  const [{ UserData }, { DisableApiTermination }, stop, shutdown] = await Promise.all([
    ask("userData"),
    ask("disableApiTermination"),
    isImported || state.disableApiStop ? ask("disableApiStop") : undefined,
    isImported || state.instanceInitiatedShutdownBehavior === "terminate"
      ? ask("instanceInitiatedShutdownBehavior")
      : undefined,
  ]);
  const encoded = UserData?.Value ?? "";
  const isBase64 = (state.userDataBase64 ?? "") !== "";
  return {
    userData: isBase64 || encoded === "" ? undefined : Buffer.from(encoded, "base64").toString(),
    userDataBase64: isBase64 ? encoded : "",
    disableApiTermination: DisableApiTermination?.Value ?? false,
    disableApiStop: stop?.DisableApiStop?.Value ?? false,
    instanceInitiatedShutdownBehavior: shutdown?.InstanceInitiatedShutdownBehavior?.Value ?? "stop",
  };
}

/** A call of its own, made only where the program sets them, or an import is to find them out. */
async function creditsOf(
  { InstanceType: type }: Instance,
  { id, cloud, written, state }: Existing<aws.ec2.Instance>,
): Promise<State["creditSpecification"]> {
  if (written !== undefined) return written.creditSpecification as State["creditSpecification"];
  const isImported = state.ami === undefined && state.launchTemplate === undefined;
  // AWS refuses to tell of a type that has none.
  const isAsked = state.creditSpecification !== undefined || (isImported && /^t\d/.test(type ?? ""));
  if (!isAsked) return undefined;
  const command = new DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [id] });
  const [found] = (await cloud.ec2.send(command)).InstanceCreditSpecifications ?? [];
  return { cpuCredits: found?.CpuCredits ?? "" };
}

/** @throws with AWS's reason when it ends in a state that it does not leave */
export async function waitForState(operation: Operation, id: string, state: InstanceStateName): Promise<void> {
  const { cloud, signal, timeoutSeconds = state === "terminated" ? 1200 : 600 } = operation;
  const what = `${id} to be ${state}`;
  await cloud.instances.waitFor(
    id,
    (found) => {
      const now = found?.State?.Name;
      if (now === state || (found === undefined && state === "terminated")) return true;
      if (now === "terminated") {
        const { Code = "no reason given", Message = "" } = found?.StateReason ?? {};
        throw new Error(`${id} was terminated instead of ${state}: ${Code} ${Message}`.trim());
      }
      return undefined;
    },
    { what, timeoutSeconds, signal },
  );
}
