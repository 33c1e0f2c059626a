import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import {
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceCreditSpecificationsCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  type Image,
  type Instance,
  paginateDescribeInstances,
  paginateDescribeVolumes,
} from "@aws-sdk/client-ec2";
import {
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type LoadBalancer,
  type TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { absentSeconds, foundInTime } from "../cloud/absence.ts";
import { accessTo } from "../cloud/access.ts";
import { clientSettings } from "../cloud/client-settings.ts";
import { isNotFound } from "../cloud/not-found.ts";
import { listenersOf, routingOf } from "../cloud/routing.ts";
import { Snapshots } from "../cloud/snapshots.ts";
import { waysIn } from "../cloud/ways-in.ts";
import { type Asked, type Facts, refusal } from "./facts.ts";
import { listenerOn, targetGroupOf } from "./forwarding.ts";

/** Reads a site from AWS, and changes nothing. @throws HandoverError (exit 1) when it is not there, or of another kind */
export async function readSite(asked: Asked): Promise<Facts> {
  const access = accessTo(asked.region);
  const ec2 = new EC2Client(clientSettings(access, "ec2"));
  const scaling = new AutoScalingClient(clientSettings(access, "autoscaling"));
  const balancing = new ElasticLoadBalancingV2Client(clientSettings(access, "elbv2"));
  try {
    if (asked.database !== undefined) await checkDatabase(asked.database, asked.region);
    const loadBalancer = await findLoadBalancer(balancing, asked);
    const listeners = await listenersOf(balancing, loadBalancer);
    const listener = listenerOn(asked.listenerPort, listeners);
    const group = { TargetGroupArn: targetGroupOf(listener.listener) };
    const [groups, attributes, health] = await Promise.all([
      balancing.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [group.TargetGroupArn] })),
      balancing.send(new DescribeTargetGroupAttributesCommand(group)),
      balancing.send(new DescribeTargetHealthCommand(group)),
    ]);
    const targetGroup: TargetGroup = groups.TargetGroups?.[0] ?? group;
    if (targetGroup.TargetType !== undefined && targetGroup.TargetType !== "instance") {
      throw refusal([
        `Target group ${targetGroup.TargetGroupName} has targets of type ${targetGroup.TargetType}; Handover replaces instances, so its target groups are of type instance.`,
      ]);
    }
    const targets = health.TargetHealthDescriptions ?? [];
    if (targets.length === 0) throw refusal([`No instance is registered in ${group.TargetGroupArn}.`]);
    const ids = [...new Set(targets.flatMap(({ Target }) => Target?.Id ?? []))];
    const [{ Addresses = [] }, instances, volumes, userData, terminationProtected, tagged, own] = await Promise.all([
      ec2.send(new DescribeAddressesCommand({})),
      instancesOf(ec2, ids),
      volumesOf(ec2, ids),
      Promise.all(ids.map(async (id) => [id, await userDataOf(ec2, id)] as const)),
      Promise.all(ids.map(async (id) => ((await isProtected(ec2, id)) ? [id] : []))),
      balancing.send(new DescribeTagsCommand({ ResourceArns: [group.TargetGroupArn] })),
      Promise.all(ids.map(async (id) => [id, await attributesOf(ec2, id)] as const)),
    ]);
    const held = Addresses.filter(({ InstanceId = "" }) => ids.includes(InstanceId));
    const known = {
      generation: asked.generation,
      servers: instances.map(({ InstanceId = "", PrivateIpAddress = "" }) => ({
        instanceId: InstanceId,
        privateIp: PrivateIpAddress,
      })),
      entries: [
        {
          targetGroupArn: group.TargetGroupArn,
          port: targetGroup.Port ?? 0,
          loadBalancerArn: loadBalancer.LoadBalancerArn ?? "",
          listenerPort: listener.listener.Port ?? 0,
        },
      ],
      // The rule for it comes with the stack: one that was made by hand is another way in.
      testHostname: "",
      addresses: held.map(({ AllocationId = "" }) => AllocationId),
    };
    return {
      loadBalancer,
      listener,
      otherWays: waysIn(known, await routingOf(known, { ec2, balancing, scaling })),
      targetGroup,
      attributes: Object.fromEntries((attributes.Attributes ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
      targets,
      instances,
      volumes,
      addresses: held,
      image: await imageOf(ec2, instances[0]),
      userData: Object.fromEntries(userData),
      typeInfo: await typeInfoOf(ec2, instances[0]),
      targetGroupTags: tagged.TagDescriptions?.[0]?.Tags ?? [],
      serverAttributes: Object.fromEntries(own),
      terminationProtected: terminationProtected.flat(),
    };
  } finally {
    ec2.destroy();
    scaling.destroy();
    balancing.destroy();
  }
}

async function findLoadBalancer(balancing: ElasticLoadBalancingV2Client, asked: Asked): Promise<LoadBalancer> {
  const name = asked.loadBalancer;
  const by = name.startsWith("arn:") ? { LoadBalancerArns: [name] } : { Names: [name] };
  const answer = await found(() => balancing.send(new DescribeLoadBalancersCommand(by)));
  const loadBalancer = answer?.LoadBalancers?.[0];
  if (loadBalancer === undefined)
    throw refusal([`--load-balancer: there is no load balancer ${name} in ${asked.region}.`]);
  if (loadBalancer.Type !== "application") {
    throw refusal([
      `--load-balancer: ${name} is of type ${loadBalancer.Type}; Handover works with an Application Load Balancer.`,
    ]);
  }
  return loadBalancer;
}

async function instancesOf(client: EC2Client, InstanceIds: string[]): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { InstanceIds }))
    instances.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
  return instances;
}

async function volumesOf(client: EC2Client, instanceIds: readonly string[]) {
  const volumes = [];
  // A filter takes 200 values.
  for (let from = 0; from < instanceIds.length; from += 200) {
    const Filters = [{ Name: "attachment.instance-id", Values: instanceIds.slice(from, from + 200) }];
    for await (const { Volumes = [] } of paginateDescribeVolumes({ client }, { Filters })) volumes.push(...Volumes);
  }
  return volumes;
}

async function userDataOf(ec2: EC2Client, InstanceId: string): Promise<Buffer | undefined> {
  const command = new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" });
  const { UserData } = await ec2.send(command);
  return UserData?.Value === undefined || UserData.Value === "" ? undefined : Buffer.from(UserData.Value, "base64");
}

async function isProtected(ec2: EC2Client, InstanceId: string): Promise<boolean> {
  const command = new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "disableApiTermination" });
  return (await ec2.send(command)).DisableApiTermination?.Value === true;
}

/** What DescribeInstances does not tell. Credits are there for burstable types alone. */
async function attributesOf(ec2: EC2Client, InstanceId: string): Promise<Record<string, unknown>> {
  const ask = (Attribute: "instanceInitiatedShutdownBehavior" | "disableApiStop") =>
    ec2.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
  const [shutdown, stop, credits] = await Promise.all([
    ask("instanceInitiatedShutdownBehavior"),
    ask("disableApiStop"),
    ec2
      .send(new DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [InstanceId] }))
      .then(({ InstanceCreditSpecifications: [found] = [] }) => found?.CpuCredits)
      .catch((error: Error) => `not known (${error.name})`),
  ]);
  return {
    InstanceInitiatedShutdownBehavior: shutdown.InstanceInitiatedShutdownBehavior?.Value,
    DisableApiStop: stop.DisableApiStop?.Value,
    CpuCredits: credits,
  };
}

async function typeInfoOf(ec2: EC2Client, instance: Instance | undefined): Promise<Facts["typeInfo"]> {
  const command = new DescribeInstanceTypesCommand({ InstanceTypes: [instance?.InstanceType ?? "t3.micro"] });
  const { VCpuInfo = {}, InstanceStorageSupported } = (await ec2.send(command)).InstanceTypes?.[0] ?? {};
  const { DefaultCores: cores, DefaultThreadsPerCore: threads } = VCpuInfo;
  return { cores, threads, hasInstanceStore: InstanceStorageSupported === true };
}

async function imageOf(ec2: EC2Client, instance: Instance | undefined): Promise<Image | undefined> {
  const command = new DescribeImagesCommand({ ImageIds: [instance?.ImageId ?? ""], IncludeDeprecated: true });
  return (await found(() => ec2.send(command)))?.Images?.[0];
}

async function checkDatabase(database: string, region: string): Promise<void> {
  const snapshots = new Snapshots(accessTo(region));
  try {
    const reference = database.startsWith("vol-") ? { volumeId: database } : { dbInstanceIdentifier: database };
    if ((await found(() => snapshots.sizeOf(reference))) !== undefined) return;
    throw refusal([`--database: there is no EBS volume or RDS instance ${database} in ${region}.`]);
  } finally {
    snapshots.close();
  }
}

/** Undefined for what is not there, which AWS answers with an error. It may be new: AWS is asked again. */
async function found<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  const look = async () => {
    try {
      return await call();
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return foundInTime(look, absentSeconds);
}
