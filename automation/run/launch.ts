import type { Subnet } from "@aws-sdk/client-ec2";
import { type Config, ConfigError, type GenerationConfig } from "../../stacks/config.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { usualServers } from "../../stacks/server-arguments.ts";
import { siteName } from "../../stacks/tags.ts";
import { userData } from "../../stacks/user-data.ts";
import type { WayOut } from "../../stacks/way-out.ts";
import type { Aws } from "../cloud/aws.ts";

/** The facts by which a launch is judged. */
export interface Launch {
  readonly stack: string;
  readonly config: Config;
  readonly last: LastOutputs | undefined;
  /** Whether who asks will launch: a role that only plans need not be allowed to. Default: true. */
  readonly launches?: boolean;
  readonly aws: {
    readonly launches: Aws["launches"];
    readonly image: Aws["image"];
    readonly arrays: Pick<Aws["arrays"], "find">;
    readonly waysOut: Pick<Aws["waysOut"], "ofSubnets" | "ofServers">;
  };
}

/** An Application Load Balancer wants so many: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html */
const balancerAddresses = 8;

/**
 * The goal's servers could be launched, each with all its parameters in its subnet: asked before the backup and the
 * migrations, since nothing is to be undone then. Nothing is asked of servers that are there.
 * @throws ConfigError (exit 1)
 */
export async function checkLaunch(launch: Launch, signal: AbortSignal): Promise<void> {
  const { config, last } = launch;
  const goal = config.generations[config.live];
  if (goal === undefined || last?.outputs.generations[goal.name] !== undefined) return;
  const text = userData(goal, config.site, projectDirectory);
  const { subnets, zones, problems } = await placesOf(launch, signal);
  if (problems.length > 0) throw new ConfigError(problems);
  const ways = await waysOutOf(launch, subnets, signal);
  const found = await Promise.all([
    offered(launch, goal, zones, signal),
    capacityOf(launch, goal, signal).then((ofArray) => roomIn(subnets, goal, ofArray)),
    withoutWayOut(launch, ways, signal),
    refused(launch, goal, { subnets, text, ways }, signal),
  ]);
  if (found.flat().length > 0) throw new ConfigError([...new Set(found.flat())]);
}

interface Places {
  /** The frontends' subnets, in their order; none as long as the site's own network is not there. */
  readonly subnets: readonly Subnet[];
  readonly zones: readonly string[];
  readonly problems: readonly string[];
}

async function placesOf({ stack, config, last, aws: { launches } }: Launch, signal: AbortSignal): Promise<Places> {
  const { vpcId, subnetIds = [], frontendSubnetIds = subnetIds, cidrBlock } = config.site.network;
  if (cidrBlock !== undefined) {
    if (last === undefined)
      return { subnets: [], zones: (await launches.ordinaryZones(signal)).slice(0, 2), problems: [] };
    const own = [...(await launches.subnetsOf(siteName(stack, last?.outputs), signal)).values()].toSorted(byName);
    return { subnets: own, zones: zonesOf(own), problems: [] };
  }
  const known = await launches.subnets([...new Set([...subnetIds, ...frontendSubnetIds])], signal);
  const key = "handover:site.network";
  const each = (name: string, ids: readonly string[]) =>
    ids.flatMap((id) => {
      const subnet = known.get(id);
      if (subnet === undefined)
        return [`${key}.${name}: ${id} does not exist in this region; list yours with: aws ec2 describe-subnets`];
      if (subnet.VpcId !== vpcId)
        return [`${key}.${name}: ${id} is in ${subnet.VpcId}, not in ${vpcId}; choose one of that VPC`];
      return [];
    });
  const problems = [
    ...each("subnetIds", subnetIds),
    ...(frontendSubnetIds === subnetIds ? [] : each("frontendSubnetIds", frontendSubnetIds)),
  ];
  const ofBalancer = subnetIds.flatMap((id) => known.get(id) ?? []);
  const subnets = frontendSubnetIds.flatMap((id) => known.get(id) ?? []);
  const own = [...sameZone(ofBalancer), ...(last === undefined ? tooSmall(ofBalancer) : [])];
  return { subnets, zones: zonesOf(subnets), problems: [...problems, ...own] };
}

/** A load balancer has one subnet in a zone. */
function sameZone(subnets: readonly Subnet[]): string[] {
  return Object.entries(Object.groupBy(subnets, ({ AvailabilityZone = "" }) => AvailabilityZone)).flatMap(
    ([zone, inZone = []]) => {
      if (inZone.length < 2) return [];
      return [
        `handover:site.network.subnetIds: ${inZone.map(({ SubnetId }) => SubnetId).join(" and ")} are both in ${zone}, and a load balancer takes one subnet in each zone; choose one in another zone`,
      ];
    },
  );
}

function tooSmall(subnets: readonly Subnet[]): string[] {
  return subnets.flatMap(({ SubnetId, AvailableIpAddressCount: free = 0 }) =>
    free >= balancerAddresses
      ? []
      : [
          `handover:site.network.subnetIds: ${SubnetId} has ${free} free addresses, and a load balancer needs ${balancerAddresses}; choose a larger one`,
        ],
  );
}

async function offered(
  { aws }: Launch,
  { name, instanceType }: GenerationConfig,
  zones: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const offering = await aws.launches.zonesOffering(instanceType, signal);
  const without = [...new Set(zones)].filter((zone) => offering !== undefined && !offering.has(zone));
  if (without.length === 0) return [];
  return [
    `handover:generations.${name}.instanceType: ${instanceType} is not offered in ${without.join(" and ")}, where its servers would be (it is in ${[...(offering ?? [])].toSorted().join(", ") || "no zone"}); choose another type or other subnets`,
  ];
}

/** A network of ours has its internet gateway; of an existing one the route tables say where they lead. */
async function waysOutOf(
  { config, aws }: Launch,
  subnets: readonly Subnet[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, WayOut>> {
  const { egress, cidrBlock } = config.site.network;
  if (egress === "none") return new Map();
  const places = subnets.map(({ SubnetId: subnetId = "", VpcId: vpcId = "" }) => ({ subnetId, vpcId }));
  if (cidrBlock === undefined) return aws.waysOut.ofSubnets(places, signal);
  return new Map(places.map(({ subnetId }) => [subnetId, "public address"]));
}

/** New servers could call nobody, and somebody said that they must, or the live ones can. */
async function withoutWayOut(
  { config, last, aws }: Launch,
  ways: ReadonlyMap<string, WayOut>,
  signal: AbortSignal,
): Promise<string[]> {
  const shut = [...ways].flatMap(([subnetId, way]) => (way === "none" ? [subnetId] : []));
  if (shut.length === 0) return [];
  const { egress, frontendSubnetIds } = config.site.network;
  const { live = "", generations = {} } = last?.outputs ?? {};
  const { frontends = [] } = generations[live] ?? {};
  const ids = frontends.map(({ instanceId }) => instanceId);
  const canCall = [...(await aws.waysOut.ofServers(ids, signal)).values()].some(({ isOpen }) => isOpen);
  if (egress === undefined && !canCall) return [];
  const key = `handover:site.network.${frontendSubnetIds === undefined ? "subnetIds" : "frontendSubnetIds"}`;
  const why = egress === "required" ? "handover:site.network.egress is required" : `the servers of ${live} can`;
  return [
    `${key}: ${shut.join(" and ")} has no route to the Internet, so new servers could call nobody there, and ${why}; choose subnets that lead to a NAT gateway or an internet gateway, or state that they need not with handover:site.network.egress: none`,
  ];
}

/** The number of servers with which a new array begins: as many as the old one has. */
async function capacityOf({ last, aws }: Launch, { array }: GenerationConfig, signal: AbortSignal): Promise<number> {
  if (array === undefined) return 0;
  const old = last?.outputs.generations[last.outputs.live]?.array;
  const { desiredCapacity = 0 } = (old && (await aws.arrays.find(old.name, signal))) ?? {};
  return Math.min(Math.max(array.minSize, desiredCapacity), array.maxSize);
}

/** The live generation's servers keep their addresses. */
function roomIn(subnets: readonly Subnet[], { name, frontends }: GenerationConfig, ofArray: number): string[] {
  return subnets.flatMap(({ SubnetId, AvailableIpAddressCount: free = 0 }, index) => {
    const share = (servers: number) => Math.max(0, Math.ceil((servers - index) / subnets.length));
    const needed = share(frontends) + share(ofArray);
    if (needed <= free) return [];
    return [
      `handover:generations.${name}.frontends: ${needed} new servers would be in ${SubnetId}, which has ${free} free addresses, and the old ones keep theirs until they are retired; use larger subnets, or fewer servers`,
    ];
  });
}

interface Attempt {
  readonly subnets: readonly Subnet[];
  /** The user data. */
  readonly text: string;
  readonly ways: ReadonlyMap<string, WayOut>;
}

async function refused(
  { aws, config, launches = true }: Launch,
  generation: GenerationConfig,
  { subnets, text, ways }: Attempt,
  signal: AbortSignal,
): Promise<string[]> {
  const { name, imageId, instanceType, keyName, iamInstanceProfile, rootBlockDevice } = generation;
  const {
    metadataHopLimit = usualServers.metadataHopLimit,
    monitoring,
    cpuCredits,
    tenancy,
    placementGroup,
  } = generation;
  const root = (await aws.image(imageId, signal))?.RootDeviceName;
  const { volumeSize, volumeType, iops, throughput, kmsKeyId } = rootBlockDevice ?? {};
  const Tags = Object.entries(generation.tags).map(([Key, Value]) => ({ Key, Value }));
  const Ebs = {
    Encrypted: true,
    VolumeSize: volumeSize,
    VolumeType: volumeType as never,
    Iops: iops,
    Throughput: throughput,
    KmsKeyId: kmsKeyId,
  };
  const launch = {
    ImageId: imageId,
    InstanceType: instanceType as never,
    KeyName: keyName,
    IamInstanceProfile: iamInstanceProfile === undefined ? undefined : { Name: iamInstanceProfile },
    UserData: Buffer.from(text).toString("base64"),
    MetadataOptions: {
      ...({ HttpEndpoint: "enabled", HttpTokens: "required" } as const),
      HttpPutResponseHopLimit: metadataHopLimit,
    },
    Monitoring: monitoring === undefined ? undefined : { Enabled: monitoring },
    CreditSpecification: cpuCredits === undefined ? undefined : { CpuCredits: cpuCredits },
    Placement: (tenancy ?? placementGroup) === undefined ? undefined : { Tenancy: tenancy, GroupName: placementGroup },
    TagSpecifications:
      Tags.length === 0 ? undefined : (["instance", "volume"] as const).map((ResourceType) => ({ ResourceType, Tags })),
    BlockDeviceMappings: root === undefined ? undefined : [{ DeviceName: root, Ebs }],
  };
  const answers = subnets.map(async ({ SubnetId }) => {
    const Groups = config.site.network.frontendSecurityGroupIds;
    const AssociatePublicIpAddress = ways.get(SubnetId ?? "") === "public address";
    const NetworkInterfaces = [{ DeviceIndex: 0, SubnetId, Groups, AssociatePublicIpAddress }];
    const why = await aws.launches.refusal({ ...launch, NetworkInterfaces }, signal);
    return why === undefined || (!launches && why.startsWith("UnauthorizedOperation"))
      ? []
      : [`handover:generations.${name}: AWS would not launch it in ${SubnetId} (${why}); correct what it names`];
  });
  return (await Promise.all(answers)).flat();
}

function zonesOf(subnets: readonly Subnet[]): string[] {
  return subnets.map(({ AvailabilityZone = "" }) => AvailabilityZone);
}

/** The site's own are numbered. */
function byName(a: Subnet, b: Subnet): number {
  const name = ({ Tags = [] }: Subnet) => Tags.find(({ Key }) => Key === "Name")?.Value ?? "";
  return name(a) < name(b) ? -1 : 1;
}
