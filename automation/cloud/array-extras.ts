import type { ArrayConfig } from "../../stacks/config/array-schema.ts";
import type { ArrayDescription } from "./arrays.ts";
import { compare, type Difference, type Table } from "./described.ts";

const none = { usual: undefined } as const;
const usual = (value: unknown) => ({ usual: value }) as const;

/** The settings of a group that the program makes: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html */
export const ofGroup: Table = {
  AutoScalingGroupARN: "own",
  AutoScalingGroupName: "own",
  "AvailabilityZoneDistribution.CapacityDistributionStrategy": usual("balanced-best-effort"),
  AvailabilityZoneIds: "own",
  "AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior": "own",
  "AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled": usual(false),
  AvailabilityZones: "own",
  CapacityRebalance: usual(false),
  "CapacityReservationSpecification.CapacityReservationPreference": usual("default"),
  Context: none,
  CreatedTime: "own",
  DefaultCooldown: usual(300),
  DefaultInstanceWarmup: none,
  DeletionProtection: usual("none"),
  DesiredCapacity: "declared",
  DesiredCapacityType: usual("units"),
  EnabledMetrics: none,
  HealthCheckGracePeriod: "declared",
  HealthCheckType: usual("ELB"),
  InstanceLifecyclePolicy: none,
  InstanceMaintenancePolicy: none,
  Instances: "own",
  LaunchConfigurationName: none,
  LaunchTemplate: "declared",
  LoadBalancerNames: none,
  MaxInstanceLifetime: none,
  MaxSize: "declared",
  MinSize: "declared",
  MixedInstancesPolicy: none,
  NewInstancesProtectedFromScaleIn: usual(false),
  Operator: "own",
  PlacementGroup: none,
  PredictedCapacity: "own",
  ServiceLinkedRoleARN: "own",
  Status: "own",
  SuspendedProcesses: "declared",
  // The new array takes them over.
  Tags: "own",
  TargetGroupARNs: "declared",
  TerminationPolicies: usual(["Default"]),
  TrafficSources: "declared",
  VPCZoneIdentifier: "declared",
  WarmPoolConfiguration: none,
  WarmPoolSize: "own",
};

/**
 * What the array that serves has, and neither its declaration nor the new one's says: the new array would not have it.
 * @param mayLose names of what need not be carried over
 */
export function notCarriedOver(
  { group, hooks, policies, actions, notifications }: ArrayDescription,
  [old, next]: readonly [ArrayConfig, ArrayConfig],
  mayLose: readonly string[],
): string[] {
  const isDeclared = (key: "policies" | "schedules" | "lifecycleHooks", name = "") =>
    name in old[key] || name in next[key];
  const names = [
    ...hooks.flatMap(({ LifecycleHookName: name }) =>
      isDeclared("lifecycleHooks", name) ? [] : [`lifecycle hook ${name}`],
    ),
    ...policies.flatMap(({ PolicyName: name }) => (isDeclared("policies", name) ? [] : [`scaling policy ${name}`])),
    ...actions.flatMap(({ name }) => (isDeclared("schedules", name) ? [] : [`scheduled action ${name}`])),
    ...new Set(notifications.map(({ TopicARN = "" }) => `notifications to ${TopicARN}`)),
    ...compare(group, ofGroup).map(settingName),
  ];
  return names.filter((name) => !mayLose.includes(name));
}

function settingName({ path, value }: Difference): string {
  return `${path} ${typeof value === "string" ? value : JSON.stringify(value)}`;
}
