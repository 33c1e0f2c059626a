import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeAddressesCommand,
  DescribeInternetGatewaysCommand,
  DescribeLaunchTemplatesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
  type EC2ClientConfig,
} from "@aws-sdk/client-ec2";
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { allInstances } from "../instances.ts";
import { observer } from "../observer.ts";

export interface CloudCheck {
  readonly live: string;
  readonly frontends: number;
  /** Number of servers in the array. Default: no array. */
  readonly array?: number;
  readonly site: string;
  /** Number of runs that have taken a snapshot so far. Default: any. */
  readonly runs?: number;
  /** Ids and names of what is not the site's. Default: nothing. */
  readonly others?: ReadonlySet<string>;
}

/** Finds what is wrong with the cloud after a run: anything missing, doubled or left over. Empty if nothing is. */
export async function cloudProblems(
  { live, frontends, array = 0, site, runs, others = new Set() }: CloudCheck,
  place: Pick<EC2ClientConfig, "region" | "endpoint">,
): Promise<string[]> {
  const settings = { ...place, credentials: observer };
  const ec2 = new EC2Client(settings);
  const scaling = new AutoScalingClient(settings);
  const balancing = new ElasticLoadBalancingV2Client(settings);
  const dynamodb = new DynamoDBClient(settings);
  try {
    const instances = (await allInstances(ec2)).filter(
      ({ State, InstanceId = "" }) =>
        State?.Name !== "terminated" && State?.Name !== "shutting-down" && !others.has(InstanceId),
    );
    const names = instances.map(({ Tags = [] }) => Tags.find(({ Key }) => Key === "Name")?.Value).sort();
    const expected = [
      ...Array.from({ length: frontends }, (_, index) => `${site}-${live}-${index + 1}`),
      ...Array.from({ length: array }, () => `${site}-${live}-array`),
    ].sort();
    const { AutoScalingGroups = [] } = await scaling.send(new DescribeAutoScalingGroupsCommand({}));
    const suspended = AutoScalingGroups.flatMap(({ SuspendedProcesses = [] }) => SuspendedProcesses);
    const { Addresses: all = [] } = await ec2.send(new DescribeAddressesCommand({}));
    const addresses = all.filter(({ AllocationId = "" }) => !others.has(AllocationId));
    const holders = addresses.map(({ InstanceId }) => instances.find((instance) => instance.InstanceId === InstanceId));
    const { Snapshots = [] } = await ec2.send(
      new DescribeSnapshotsCommand({ Filters: [{ Name: "tag:handover:site", Values: [site] }] }),
    );
    const snapshotRuns = Snapshots.map(
      ({ Tags = [] }) => Tags.find(({ Key }) => Key === "handover:run")?.Value ?? "nobody's",
    );
    return [
      ...(await doubled(site, others, { ec2, balancing, dynamodb })),
      ...(names.join() === expected.join() ? [] : [`servers: ${names.join(", ")} instead of ${expected.join(", ")}`]),
      ...(holders.every((holder) => holder !== undefined) ? [] : ["an address is on no server of the live generation"]),
      ...(new Set(holders).size === holders.length ? [] : ["two addresses are on one server"]),
      ...(new Set(snapshotRuns).size === snapshotRuns.length &&
      snapshotRuns.length === (runs ?? snapshotRuns.length) &&
      !snapshotRuns.includes("nobody's")
        ? []
        : [`snapshots of runs ${snapshotRuns.join(", ")} after ${runs ?? "some"} runs`]),
      ...(AutoScalingGroups.length === Math.min(array, 1) ? [] : [`${AutoScalingGroups.length} arrays`]),
      ...(suspended.length === 0 ? [] : [`suspended: ${suspended.map(({ ProcessName }) => ProcessName).join(", ")}`]),
    ];
  } finally {
    ec2.destroy();
    scaling.destroy();
    balancing.destroy();
    dynamodb.destroy();
  }
}

/** Finds whatever a site outside a run has too much or too little of. */
async function doubled(
  site: string,
  others: ReadonlySet<string>,
  { ec2, balancing, dynamodb }: { ec2: EC2Client; balancing: ElasticLoadBalancingV2Client; dynamodb: DynamoDBClient },
): Promise<string[]> {
  const own = { Filters: [{ Name: "tag:handover:site", Values: [site] }] };
  const counts: readonly [string, number, readonly object[] | undefined][] = [
    ["networks", 1, (await ec2.send(new DescribeVpcsCommand(own))).Vpcs],
    ["subnets", 2, (await ec2.send(new DescribeSubnetsCommand(own))).Subnets],
    ["internet gateways", 1, (await ec2.send(new DescribeInternetGatewaysCommand(own))).InternetGateways],
    ["route tables", 1, (await ec2.send(new DescribeRouteTablesCommand(own))).RouteTables],
    ["security groups", 2, (await ec2.send(new DescribeSecurityGroupsCommand(own))).SecurityGroups],
    ["addresses", 2, (await ec2.send(new DescribeAddressesCommand({}))).Addresses],
    ["launch templates", 1, (await ec2.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates],
    ["load balancers", 1, (await balancing.send(new DescribeLoadBalancersCommand({}))).LoadBalancers],
    ["target groups", 1, (await balancing.send(new DescribeTargetGroupsCommand({}))).TargetGroups],
    ["tables", 1, (await dynamodb.send(new ListTablesCommand({}))).TableNames?.map((name) => ({ name }))],
  ];
  return counts.flatMap(([what, expected, found = []]) => {
    const own = found.filter((each) => !Object.values(each).some((value) => others.has(value)));
    return own.length === expected ? [] : [`${own.length} ${what} instead of ${expected}`];
  });
}
