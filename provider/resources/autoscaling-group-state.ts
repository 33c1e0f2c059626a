import { DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { prefixOf } from "../names.ts";
import type { StateOf } from "../outputs.ts";
import type { Existing } from "../resource.ts";

export async function findGroup(cloud: Cloud, name: string) {
  const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
  return (await cloud.autoScaling.send(command)).AutoScalingGroups?.[0];
}

export async function describeGroup({
  id,
  cloud,
}: Existing<aws.autoscaling.Group>): Promise<StateOf<aws.autoscaling.Group> | undefined> {
  const found = await findGroup(cloud, id);
  if (found === undefined) return undefined;
  const template = found.LaunchTemplate;
  return {
    arn: found.AutoScalingGroupARN ?? "",
    availabilityZoneDistribution: {
      capacityDistributionStrategy: found.AvailabilityZoneDistribution?.CapacityDistributionStrategy,
    },
    availabilityZones: [...(found.AvailabilityZones ?? [])].sort(),
    capacityReservationSpecification: {
      capacityReservationPreference: found.CapacityReservationSpecification?.CapacityReservationPreference ?? "default",
    },
    defaultCooldown: found.DefaultCooldown ?? 300,
    desiredCapacity: found.DesiredCapacity ?? 0,
    healthCheckGracePeriod: found.HealthCheckGracePeriod ?? 0,
    healthCheckType: found.HealthCheckType ?? "EC2",
    instanceLifecyclePolicy: { retentionTriggers: { terminateHookAbandon: "terminate" } },
    launchTemplate: {
      id: template?.LaunchTemplateId ?? "",
      name: template?.LaunchTemplateName ?? "",
      version: template?.Version ?? "$Default",
    },
    loadBalancers: found.LoadBalancerNames ?? [],
    maxSize: found.MaxSize ?? 0,
    minSize: found.MinSize ?? 0,
    mixedInstancesPolicy: noMixedInstances,
    name: id,
    namePrefix: prefixOf(id),
    predictedCapacity: found.PredictedCapacity ?? 0,
    protectFromScaleIn: found.NewInstancesProtectedFromScaleIn ?? false,
    serviceLinkedRoleArn: found.ServiceLinkedRoleARN ?? "",
    suspendedProcesses: (found.SuspendedProcesses ?? []).map(({ ProcessName = "" }) => ProcessName).sort(),
    tags: (found.Tags ?? []).map(({ Key = "", Value = "", PropagateAtLaunch = false }) => ({
      key: Key,
      propagateAtLaunch: PropagateAtLaunch,
      value: Value,
    })),
    targetGroupArns: [...(found.TargetGroupARNs ?? [])].sort(),
    // AWS's own, where the program has none.
    terminationPolicies: (found.TerminationPolicies ?? []).filter((policy) => policy !== "Default"),
    trafficSources: (found.TrafficSources ?? []).map(({ Identifier = "", Type }) => ({
      identifier: Identifier,
      type: Type,
    })),
    vpcZoneIdentifiers: (found.VPCZoneIdentifier ?? "").split(",").filter(Boolean).sort(),
    warmPoolSize: found.WarmPoolSize ?? 0,
  };
}

const noMixedInstances = {
  instancesDistribution: {
    onDemandAllocationStrategy: "",
    onDemandBaseCapacity: 0,
    onDemandPercentageAboveBaseCapacity: 0,
    spotAllocationStrategy: "",
    spotInstancePools: 0,
  },
  launchTemplate: {
    launchTemplateSpecification: { launchTemplateId: "", launchTemplateName: "", version: "" },
    overrides: [],
  },
};
