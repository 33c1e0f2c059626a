import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
  type EC2ClientConfig,
} from "@aws-sdk/client-ec2";
import { DescribeTargetGroupsCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";

export interface CloudCheck {
  readonly live: string;
  readonly frontends: number;
  readonly site: string;
  /** How many runs have taken a snapshot so far. */
  readonly runs: number;
}

/** What is wrong with the cloud after a run: something missing, doubled or left over. Empty when nothing is. */
export async function cloudProblems(
  { live, frontends, site, runs }: CloudCheck,
  settings: EC2ClientConfig,
): Promise<string[]> {
  const ec2 = new EC2Client(settings);
  const balancing = new ElasticLoadBalancingV2Client(settings);
  try {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
    const instances = Reservations.flatMap(({ Instances = [] }) => Instances).filter(
      ({ State }) => State?.Name !== "terminated" && State?.Name !== "shutting-down",
    );
    const names = instances.map(({ Tags = [] }) => Tags.find(({ Key }) => Key === "Name")?.Value).sort();
    const expected = Array.from({ length: frontends }, (_, index) => `${site}-${live}-${index + 1}`).sort();
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    const holders = Addresses.map(({ InstanceId }) => instances.find((instance) => instance.InstanceId === InstanceId));
    const { Snapshots = [] } = await ec2.send(
      new DescribeSnapshotsCommand({ Filters: [{ Name: "tag:handover:site", Values: [site] }] }),
    );
    const snapshotRuns = Snapshots.map(({ Tags = [] }) => Tags.find(({ Key }) => Key === "handover:run")?.Value);
    const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    return [
      ...(names.join() === expected.join() ? [] : [`servers: ${names.join(", ")} instead of ${expected.join(", ")}`]),
      ...(holders.every((holder) => holder !== undefined) ? [] : ["an address is on no server of the live generation"]),
      ...(new Set(holders).size === holders.length ? [] : ["two addresses are on one server"]),
      ...(snapshotRuns.length === runs && new Set(snapshotRuns).size === runs
        ? []
        : [`snapshots of runs ${snapshotRuns.join(", ")} after ${runs} runs`]),
      ...(TargetGroups.length === 1 ? [] : [`${TargetGroups.length} target groups`]),
    ];
  } finally {
    ec2.destroy();
    balancing.destroy();
  }
}
