import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ArrayFacts } from "./array-facts.ts";
import type { ArrayConfig, PolicyConfig, ScheduleConfig } from "./config/array-schema.ts";
import type { ArrayIntent } from "./intent.ts";
import { generationNames } from "./names.ts";
import { allThatScales, neededToFill } from "./scaling-processes.ts";
import { type Owner, tags } from "./tags.ts";

export interface ServerArrayArgs {
  readonly owner: Owner;
  readonly config: ArrayConfig;
  readonly intent: ArrayIntent;
  readonly facts: ArrayFacts;
  /** Tells whether its servers are registered in the target groups. */
  readonly registered: boolean;
  readonly launchTemplate: aws.ec2.LaunchTemplate;
  /** Of each entry; a policy that counts requests counts those of the first. */
  readonly targetGroups: readonly [aws.lb.TargetGroup, ...aws.lb.TargetGroup[]];
  readonly loadBalancer: aws.lb.LoadBalancer;
  readonly subnetIds: pulumi.Output<string>[];
}

/**
 * A generation's server array: an Auto Scaling group with its scaling policies and scheduled actions.
 *
 * The number of servers is autoscaling's decision: it is stated when the group is created and never again. What is
 * suspended is an operator's decision outside of a run, and the run's in one (docs/decisions/0006-arrays.md).
 */
export class ServerArray {
  readonly group: aws.autoscaling.Group;

  /** @param name the generation's */
  constructor(name: string, args: ServerArrayArgs, opts: pulumi.CustomResourceOptions) {
    const { config } = args;
    this.group = createGroup(name, args, opts);
    const autoscalingGroupName = this.group.name;
    for (const [policy, each] of Object.entries(config.policies)) {
      new aws.autoscaling.Policy(
        generationNames.scalingPolicy.of(name, policy),
        { name: policy, autoscalingGroupName, ...policyOf(each, args) },
        opts,
      );
    }
    for (const [schedule, each] of Object.entries(config.schedules)) {
      new aws.autoscaling.Schedule(
        generationNames.scheduledAction.of(name, schedule),
        { scheduledActionName: schedule, autoscalingGroupName, ...scheduleOf(each) },
        opts,
      );
    }
  }
}

function createGroup(name: string, args: ServerArrayArgs, opts: pulumi.CustomResourceOptions) {
  const { config, intent, facts, owner, launchTemplate } = args;
  const suspendedProcesses = suspended(intent, facts);
  return new aws.autoscaling.Group(
    generationNames.autoScalingGroup.of(name),
    {
      ...sizesOf(args),
      launchTemplate: { id: launchTemplate.id, version: launchTemplate.latestVersion.apply(String) },
      vpcZoneIdentifiers: args.subnetIds,
      targetGroupArns: args.registered ? args.targetGroups.map(({ arn }) => arn) : [],
      healthCheckType: "ELB",
      healthCheckGracePeriod: config.healthCheckGracePeriodSeconds,
      protectFromScaleIn: false,
      ...(suspendedProcesses !== undefined && { suspendedProcesses }),
      ...(Object.keys(config.lifecycleHooks).length > 0 && { initialLifecycleHooks: hooksOf(config) }),
      // Gates watch the servers, so the engine does not wait for them.
      waitForCapacityTimeout: "0",
      // It is deleted when its servers have drained; its processes are suspended, so it could not be emptied first.
      forceDelete: true,
      tags: [
        ...Object.entries(tags(`${name}-array`, owner)).map(([key, value]) => ({
          key,
          value,
          propagateAtLaunch: true,
        })),
        ...(facts.tags ?? []),
      ],
    },
    {
      ...opts,
      ignoreChanges: [
        "desiredCapacity",
        // They come with the group alone.
        "initialLifecycleHooks",
        // The run that created it stays in its tags, and the others never change.
        "tags",
        ...(suspendedProcesses === undefined ? ["suspendedProcesses"] : []),
        ...(intent === "withdrawn" || Object.keys(config.schedules).length > 0 ? ["minSize", "maxSize"] : []),
      ],
    },
  );
}

/** The suspended processes; undefined leaves them to whoever suspends and resumes outside the program. */
function suspended(intent: ArrayIntent, { suspendedByOperator = [], stated }: ArrayFacts): string[] | undefined {
  const all = [...new Set([...allThatScales, ...suspendedByOperator])].sort();
  if (intent === "suspended") return all;
  if (intent === "filling" || intent === "withdrawn") return all.filter((process) => !neededToFill.includes(process));
  return stated ? [...suspendedByOperator] : undefined;
}

/** Capacity at creation: an array that takes over from another starts with as many servers as that one has. */
function sizesOf({ config: { minSize, maxSize, schedules }, intent, facts: { capacity } }: ServerArrayArgs) {
  if (intent === "withdrawn") return { minSize: 0, maxSize, desiredCapacity: 0 };
  if (capacity === undefined) return { minSize, maxSize };
  const sizes = Object.keys(schedules).length > 0 ? capacity : { minSize, maxSize };
  const desiredCapacity = Math.min(Math.max(capacity.desiredCapacity, sizes.minSize), sizes.maxSize);
  return { minSize: sizes.minSize, maxSize: sizes.maxSize, desiredCapacity };
}

function hooksOf({ lifecycleHooks }: ArrayConfig) {
  return Object.entries(lifecycleHooks).map(([name, { heartbeatTimeoutSeconds, ...hook }]) => ({
    name,
    ...hook,
    heartbeatTimeout: heartbeatTimeoutSeconds,
  }));
}

function policyOf(
  { targetTracking, stepScaling, estimatedInstanceWarmupSeconds }: PolicyConfig,
  args: ServerArrayArgs,
) {
  const warmup = estimatedInstanceWarmupSeconds !== undefined && {
    estimatedInstanceWarmup: estimatedInstanceWarmupSeconds,
  };
  if (targetTracking !== undefined) {
    const { predefinedMetricType, targetValue, disableScaleIn } = targetTracking;
    const counted = predefinedMetricType === "ALBRequestCountPerTarget" && { resourceLabel: resourceLabel(args) };
    return {
      policyType: "TargetTrackingScaling",
      targetTrackingConfiguration: {
        predefinedMetricSpecification: { predefinedMetricType, ...counted },
        targetValue,
        disableScaleIn,
      },
      ...warmup,
    };
  }
  return {
    policyType: "StepScaling",
    adjustmentType: stepScaling?.adjustmentType,
    stepAdjustments: stepScaling?.stepAdjustments.map((step) => ({
      scalingAdjustment: step.scalingAdjustment,
      metricIntervalLowerBound: step.metricIntervalLowerBound?.toString(),
      metricIntervalUpperBound: step.metricIntervalUpperBound?.toString(),
    })),
    ...warmup,
  };
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html */
function resourceLabel({ loadBalancer, targetGroups: [targetGroup] }: ServerArrayArgs): pulumi.Output<string> {
  return pulumi.interpolate`${loadBalancer.arnSuffix}/${targetGroup.arnSuffix}`;
}

/** Fills in the plugin's -1 for a size that does not change. */
function scheduleOf({ recurrence, timeZone, minSize = -1, maxSize = -1, desiredCapacity = -1 }: ScheduleConfig) {
  return { recurrence, timeZone, minSize, maxSize, desiredCapacity };
}
