import {
  type AutoScalingClient,
  type AutoScalingGroup,
  type AutoScalingInstanceDetails,
  DescribeAutoScalingInstancesCommand,
  paginateDescribeAutoScalingGroups,
} from "@aws-sdk/client-auto-scaling";
import {
  type Address,
  DescribeAddressesCommand,
  type EC2Client,
  type Instance,
  paginateDescribeInstances,
} from "@aws-sdk/client-ec2";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  type Listener,
  type LoadBalancer,
  paginateDescribeListeners,
  paginateDescribeRules,
  paginateDescribeTargetGroups,
  type Rule,
  type TargetGroup,
  type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import pLimit from "p-limit";
import { chunks } from "./chunks.ts";
import { type ClassicBalancer, classicBalancers } from "./classic-balancers.ts";

/** A generation's servers, and the ways to them that Handover knows and shifts. */
export interface Known {
  readonly generation: string;
  readonly servers: readonly { readonly instanceId: string; readonly privateIp: string }[];
  readonly entries: readonly KnownEntry[];
  readonly testHostname: string;
  /** Name of its Auto Scaling group. */
  readonly array?: string;
  /** Allocation ids of the site's Elastic IPs. */
  readonly addresses: readonly string[];
}

/** A way in that Handover shifts. */
export interface KnownEntry {
  readonly targetGroupArn: string;
  /** On which targets are registered. */
  readonly port: number;
  readonly loadBalancerArn: string;
  readonly listenerPort: number;
}

export interface ListenerAndRules {
  readonly listener: Listener;
  /** Without the default one. */
  readonly rules: readonly Rule[];
}

/** A target group with what is registered in it. */
export interface Registered {
  readonly group: TargetGroup;
  readonly targets: readonly TargetHealthDescription[];
}

/** Everything in AWS that might give requests to the servers. */
export interface Routing {
  readonly groups: readonly Registered[];
  /** Those of the generation's target group, and of others that have its servers. */
  readonly balancers: readonly { readonly balancer: LoadBalancer; readonly listeners: readonly ListenerAndRules[] }[];
  readonly classic: readonly ClassicBalancer[];
  /** Servers that belong to Auto Scaling groups. */
  readonly grouped: readonly AutoScalingInstanceDetails[];
  readonly scalingGroups: readonly AutoScalingGroup[];
  readonly addresses: readonly Address[];
  /** The servers' addresses beside the first: of other interfaces, further ones, of IPv6. */
  readonly furtherAddresses: readonly string[];
}

interface Clients {
  readonly ec2: EC2Client;
  readonly balancing: ElasticLoadBalancingV2Client;
  readonly scaling: AutoScalingClient;
}

/** Calls at once, where there is one for each target group or listener. */
const atOnce = 8;

/** Reads whatever might give requests to servers. */
export async function routingOf(
  known: Known,
  { ec2, balancing, scaling }: Clients,
  abortSignal?: AbortSignal,
): Promise<Routing> {
  const options = { abortSignal };
  const limit = pLimit(atOnce);
  const own = new Set(known.entries.map(({ targetGroupArn }) => targetGroupArn));
  const ids = known.servers.map(({ instanceId }) => instanceId);
  const [all, classic, grouped, scalingGroups, addresses, furtherAddresses] = await Promise.all([
    targetGroups(balancing, abortSignal),
    classicBalancers(balancing, abortSignal),
    Promise.all(
      chunks(ids, 50).map(async (InstanceIds) => {
        const answer = await scaling.send(new DescribeAutoScalingInstancesCommand({ InstanceIds }), options);
        return answer.AutoScalingInstances ?? [];
      }),
    ),
    allScalingGroups(scaling, abortSignal),
    Promise.all(
      chunks(ids, 200).map(async (Values) => {
        const command = new DescribeAddressesCommand({ Filters: [{ Name: "instance-id", Values }] });
        return (await ec2.send(command, options)).Addresses ?? [];
      }),
    ),
    Promise.all(chunks(ids, 200).map((some) => addressesBeside(ec2, some, abortSignal))),
  ]);
  const further = furtherAddresses.flat();
  // A group that no load balancer knows gives nothing to anybody; a function or another balancer is no server.
  const asked = all.filter(
    ({ TargetGroupArn, TargetType, LoadBalancerArns = [] }) =>
      own.has(TargetGroupArn ?? "") ||
      (LoadBalancerArns.length > 0 && (TargetType === "instance" || TargetType === "ip")),
  );
  const groups = await Promise.all(
    asked.map((group) =>
      limit(async (): Promise<Registered> => {
        const command = new DescribeTargetHealthCommand({ TargetGroupArn: group.TargetGroupArn });
        return { group, targets: (await balancing.send(command, options)).TargetHealthDescriptions ?? [] };
      }),
    ),
  );
  const concerned = groups.filter(
    (each) => own.has(each.group.TargetGroupArn ?? "") || reached(each, known, further).length > 0,
  );
  const arns = new Set([
    ...known.entries.map(({ loadBalancerArn }) => loadBalancerArn),
    ...concerned.flatMap(({ group }) => group.LoadBalancerArns ?? []),
  ]);
  const balancers = await Promise.all(
    chunks([...arns], 20).map(async (LoadBalancerArns) => {
      const answer = await balancing.send(new DescribeLoadBalancersCommand({ LoadBalancerArns }), options);
      return answer.LoadBalancers ?? [];
    }),
  );
  return {
    groups,
    balancers: await Promise.all(
      balancers
        .flat()
        .map(async (balancer) => ({ balancer, listeners: await listenersOf(balancing, balancer, abortSignal) })),
    ),
    classic,
    grouped: grouped.flat(),
    scalingGroups,
    addresses: addresses.flat(),
    furtherAddresses: further,
  };
}

/** The servers that a target group has, by instance id or by address. */
export function reached({ targets }: Registered, { servers }: Known, furtherAddresses: readonly string[]): string[] {
  const names = new Set([
    ...servers.flatMap(({ instanceId, privateIp }) => [instanceId, privateIp]),
    ...furtherAddresses,
  ]);
  return [...new Set(targets.flatMap(({ Target }) => (names.has(Target?.Id ?? "") ? [Target?.Id ?? ""] : [])))];
}

async function addressesBeside(client: EC2Client, ids: string[], abortSignal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const Filters = [{ Name: "instance-id", Values: ids }];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, { Filters }, { abortSignal }))
    found.push(...Reservations.flatMap(({ Instances = [] }) => Instances).flatMap(everyAddress));
  return found;
}

function everyAddress({ NetworkInterfaces = [] }: Instance): string[] {
  return NetworkInterfaces.flatMap(({ PrivateIpAddresses = [], Ipv6Addresses = [] }) => [
    ...PrivateIpAddresses.flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []),
    ...Ipv6Addresses.flatMap(({ Ipv6Address }) => Ipv6Address ?? []),
  ]);
}

async function targetGroups(client: ElasticLoadBalancingV2Client, abortSignal?: AbortSignal): Promise<TargetGroup[]> {
  const found: TargetGroup[] = [];
  for await (const { TargetGroups = [] } of paginateDescribeTargetGroups({ client }, {}, { abortSignal }))
    found.push(...TargetGroups);
  return found;
}

async function allScalingGroups(client: AutoScalingClient, abortSignal?: AbortSignal): Promise<AutoScalingGroup[]> {
  const found: AutoScalingGroup[] = [];
  for await (const { AutoScalingGroups = [] } of paginateDescribeAutoScalingGroups({ client }, {}, { abortSignal }))
    found.push(...AutoScalingGroups);
  return found;
}

/** A load balancer's listeners, each with its rules. */
export async function listenersOf(
  client: ElasticLoadBalancingV2Client,
  { LoadBalancerArn }: LoadBalancer,
  abortSignal?: AbortSignal,
): Promise<ListenerAndRules[]> {
  const listeners: Listener[] = [];
  for await (const { Listeners = [] } of paginateDescribeListeners({ client }, { LoadBalancerArn }, { abortSignal }))
    listeners.push(...Listeners);
  const limit = pLimit(atOnce);
  return Promise.all(
    listeners.map((listener) =>
      limit(async () => {
        const rules: Rule[] = [];
        const pages = paginateDescribeRules({ client }, { ListenerArn: listener.ListenerArn }, { abortSignal });
        for await (const { Rules = [] } of pages) rules.push(...Rules);
        return { listener, rules: rules.filter(({ IsDefault }) => IsDefault !== true) };
      }),
    ),
  );
}
