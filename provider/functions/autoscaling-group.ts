import type * as aws from "@pulumi/aws";
import { string } from "../fields.ts";
import { findGroup } from "../resources/autoscaling-group-state.ts";
import { providerFunction } from "./function.ts";

export const getAutoscalingGroup = providerFunction<aws.autoscaling.GetGroupArgs, aws.autoscaling.GetGroupResult>({
  fields: { name: string({ required: true }) },

  async invoke({ name }, cloud) {
    const found = await findGroup(cloud, name);
    if (found === undefined) throw new Error(`There is no Auto Scaling group ${name}.`);
    const template = found.LaunchTemplate;
    return {
      arn: found.AutoScalingGroupARN ?? "",
      availabilityZones: found.AvailabilityZones ?? [],
      defaultCooldown: found.DefaultCooldown ?? 0,
      desiredCapacity: found.DesiredCapacity ?? 0,
      desiredCapacityType: found.DesiredCapacityType ?? "",
      enabledMetrics: (found.EnabledMetrics ?? []).map(({ Metric = "" }) => Metric),
      healthCheckGracePeriod: found.HealthCheckGracePeriod ?? 0,
      healthCheckType: found.HealthCheckType ?? "EC2",
      id: name,
      instanceMaintenancePolicies: [],
      launchConfiguration: found.LaunchConfigurationName ?? "",
      launchTemplates:
        template === undefined
          ? []
          : [
              {
                id: template.LaunchTemplateId ?? "",
                name: template.LaunchTemplateName ?? "",
                version: template.Version ?? "",
              },
            ],
      loadBalancers: found.LoadBalancerNames ?? [],
      maxInstanceLifetime: found.MaxInstanceLifetime ?? 0,
      maxSize: found.MaxSize ?? 0,
      minSize: found.MinSize ?? 0,
      mixedInstancesPolicies: [],
      newInstancesProtectedFromScaleIn: found.NewInstancesProtectedFromScaleIn ?? false,
      placementGroup: found.PlacementGroup ?? "",
      predictedCapacity: found.PredictedCapacity ?? 0,
      serviceLinkedRoleArn: found.ServiceLinkedRoleARN ?? "",
      status: found.Status ?? "",
      suspendedProcesses: (found.SuspendedProcesses ?? []).map(({ ProcessName = "" }) => ProcessName),
      tags: (found.Tags ?? []).map(({ Key = "", Value = "", PropagateAtLaunch = false }) => ({
        key: Key,
        propagateAtLaunch: PropagateAtLaunch,
        value: Value,
      })),
      targetGroupArns: found.TargetGroupARNs ?? [],
      terminationPolicies: found.TerminationPolicies ?? [],
      trafficSources: (found.TrafficSources ?? []).map(({ Identifier = "", Type = "" }) => ({
        identifier: Identifier,
        type: Type,
      })),
      vpcZoneIdentifier: found.VPCZoneIdentifier ?? "",
      warmPoolSize: found.WarmPoolSize ?? 0,
      warmPools: [],
    };
  },
});
