import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateLaunchTemplateCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { DescribeDBSnapshotsCommand, RDSClient } from "@aws-sdk/client-rds";
import type { Config, GenerationConfig } from "../../stacks/config.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { packagePath } from "../../stacks/project.ts";
import type { Access } from "../cloud/access.ts";
import { briefly } from "../cloud/client-settings.ts";
import { codeOf, type Finding, isDenied, ok, problem, reasonOf, skipped } from "./finding.ts";

type Probe = readonly [action: string, ask: () => Promise<unknown>];

/**
 * Whether we may do what a run does: EC2 says so without doing it (`DryRun`), the other services only answer reads.
 * Only what would do no harm is asked even so: no terminating, and no address but to the server that has it.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
 */
export async function checkPermissions(access: Access, config: Config, outputs: Outputs | undefined): Promise<Finding> {
  const ec2 = new EC2Client(briefly(access, "ec2", 3));
  const balancing = new ElasticLoadBalancingV2Client(briefly(access, "elbv2", 3));
  const rds = new RDSClient(briefly(access, "rds", 3));
  try {
    const probes = [
      ...ec2Probes(ec2, config, outputs),
      ...balancingProbes(balancing, outputs),
      ...(config.site.database?.dbInstanceIdentifier === undefined ? [] : [rdsProbe(rds, config)]),
    ];
    return conclude(await Promise.all(probes.map(answerOf)));
  } finally {
    for (const client of [ec2, balancing, rds]) client.destroy();
  }
}

function ec2Probes(ec2: EC2Client, { generations, live, site }: Config, outputs: Outputs | undefined): Probe[] {
  const { imageId, instanceType, iamInstanceProfile, keyName } = generations[live] as GenerationConfig;
  const DryRun = true;
  const [address] = outputs?.addresses ?? [];
  const server = address?.instanceId ?? Object.values(outputs?.generations ?? {})[0]?.frontends[0]?.instanceId;
  const launch = {
    ImageId: imageId,
    InstanceType: instanceType as never,
    KeyName: keyName,
    // With it, the answer tells of iam:PassRole too.
    IamInstanceProfile: iamInstanceProfile === undefined ? undefined : { Name: iamInstanceProfile },
  };
  const probes: (Probe | false)[] = [
    ["ec2:DescribeInstances", () => ec2.send(new DescribeInstancesCommand({ DryRun }))],
    ["ec2:DescribeInstanceStatus", () => ec2.send(new DescribeInstanceStatusCommand({ DryRun }))],
    ["ec2:DescribeImages", () => ec2.send(new DescribeImagesCommand({ DryRun, ImageIds: [imageId] }))],
    ["ec2:DescribeRouteTables", () => ec2.send(new DescribeRouteTablesCommand({ DryRun }))],
    ["ec2:DescribeAddresses", () => ec2.send(new DescribeAddressesCommand({ DryRun }))],
    [
      "ec2:RunInstances",
      () => {
        const { frontendSubnetIds, subnetIds } = site.network;
        const SubnetId = (frontendSubnetIds ?? subnetIds)?.[0];
        return ec2.send(new RunInstancesCommand({ DryRun, MinCount: 1, MaxCount: 1, SubnetId, ...launch }));
      },
    ],
    [
      "ec2:CreateLaunchTemplate",
      () => {
        const LaunchTemplateName = "handover-doctor";
        return ec2.send(new CreateLaunchTemplateCommand({ DryRun, LaunchTemplateName, LaunchTemplateData: launch }));
      },
    ],
    site.database?.volumeId !== undefined && [
      "ec2:CreateSnapshot",
      () => ec2.send(new CreateSnapshotCommand({ DryRun, VolumeId: site.database?.volumeId })),
    ],
    site.elasticIps.count > 0 && [
      "ec2:AllocateAddress",
      () => ec2.send(new AllocateAddressCommand({ DryRun, Domain: "vpc" })),
    ],
    address !== undefined && [
      "ec2:AssociateAddress",
      () => {
        const { allocationId: AllocationId, instanceId: InstanceId } = address;
        return ec2.send(new AssociateAddressCommand({ DryRun, AllocationId, InstanceId }));
      },
    ],
    server !== undefined && [
      "ec2:CreateTags",
      () => {
        const Tags = [{ Key: "handover:doctor", Value: "asked" }];
        return ec2.send(new CreateTagsCommand({ DryRun, Resources: [server], Tags }));
      },
    ],
  ];
  return probes.filter((probe) => probe !== false);
}

function balancingProbes(balancing: ElasticLoadBalancingV2Client, outputs: Outputs | undefined): Probe[] {
  const reads: Probe[] = [
    ["elasticloadbalancing:DescribeLoadBalancers", () => balancing.send(new DescribeLoadBalancersCommand({}))],
    ["elasticloadbalancing:DescribeTargetGroups", () => balancing.send(new DescribeTargetGroupsCommand({}))],
  ];
  const live = outputs?.generations[outputs.live];
  if (outputs === undefined || live === undefined) return reads;
  const LoadBalancerArn = outputs.loadBalancer.arn;
  const TargetGroupArn = live.targetGroupArn;
  return [
    ...reads,
    ["elasticloadbalancing:DescribeListeners", () => balancing.send(new DescribeListenersCommand({ LoadBalancerArn }))],
    [
      "elasticloadbalancing:DescribeTargetHealth",
      () => balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn })),
    ],
  ];
}

function rdsProbe(rds: RDSClient, { site }: Config): Probe {
  const DBInstanceIdentifier = site.database?.dbInstanceIdentifier;
  return ["rds:DescribeDBSnapshots", () => rds.send(new DescribeDBSnapshotsCommand({ DBInstanceIdentifier }))];
}

export interface ProbeAnswer {
  readonly action: string;
  readonly answer: "allowed" | "denied" | "unknown";
  readonly reason?: string;
}

async function answerOf([action, ask]: Probe): Promise<ProbeAnswer> {
  try {
    await ask();
    return { action, answer: "allowed" };
  } catch (error) {
    return { action, ...answerFrom(error) };
  }
}

/** `DryRunOperation` says that the call would have been allowed. */
export function answerFrom(error: unknown): Omit<ProbeAnswer, "action"> {
  if (codeOf(error) === "DryRunOperation") return { answer: "allowed" };
  return { answer: isDenied(error) ? "denied" : "unknown", reason: reasonOf(error) };
}

export function conclude(answers: readonly ProbeAnswer[]): Finding {
  const having = (answer: ProbeAnswer["answer"]) => answers.filter((each) => each.answer === answer);
  const denied = having("denied").map(({ action }) => action);
  if (denied.length > 0)
    return problem(
      "permissions",
      `not allowed: ${denied.join(", ")}; ${packagePath("docs/iam-policy.json")} has all that is needed`,
    );
  const unknown = having("unknown");
  const [first] = unknown;
  if (first !== undefined && unknown.length === answers.length)
    return skipped("permissions", `AWS did not say: ${first.reason}`);
  const rest = unknown.map(({ action, reason }) => `; ${action} is not known: ${reason}`).join("");
  return ok("permissions", `${answers.length - unknown.length} actions asked for, all allowed${rest}`);
}
