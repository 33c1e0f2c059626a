import {
  DeletePolicyCommand,
  DescribePoliciesCommand,
  type MetricType,
  PutScalingPolicyCommand,
} from "@aws-sdk/client-auto-scaling";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { boolean, number, object, set, string } from "../fields.ts";
import { type InputsOf, resource } from "../resource.ts";

type Inputs = InputsOf<aws.autoscaling.PolicyArgs>;

export const autoscalingPolicy = resource<aws.autoscaling.Policy, aws.autoscaling.PolicyArgs>({
  token: "aws:autoscaling/policy:Policy",
  fields: {
    adjustmentType: string(),
    autoscalingGroupName: string({ required: true, replace: true }),
    cooldown: number(),
    enabled: boolean({ default: true }),
    estimatedInstanceWarmup: number(),
    metricAggregationType: string({ computed: true }),
    minAdjustmentMagnitude: number(),
    name: string({ computed: true, replace: true }),
    policyType: string({ default: "SimpleScaling" }),
    scalingAdjustment: number(),
    stepAdjustments: set(
      object<aws.types.input.autoscaling.PolicyStepAdjustment>({
        metricIntervalLowerBound: string(),
        metricIntervalUpperBound: string(),
        scalingAdjustment: number({ required: true }),
      }),
    ),
    targetTrackingConfiguration: object<aws.types.input.autoscaling.PolicyTargetTrackingConfiguration>({
      disableScaleIn: boolean({ default: false }),
      predefinedMetricSpecification: object({
        predefinedMetricType: string({ required: true }),
        resourceLabel: string(),
      }),
      targetValue: number({ required: true }),
    }),
  },
  computed: { arn: true },
  autoname: { property: "name", maxLength: 255 },

  /** Puts, so a creation that is repeated after a crash with a fixed name finds its own. */
  async create(inputs, { cloud, created }) {
    await put(cloud, inputs);
    const { name = "" } = inputs;
    created(name);
    return name;
  },

  async read({ id, cloud, state }) {
    const command = new DescribePoliciesCommand({
      AutoScalingGroupName: state.autoscalingGroupName,
      PolicyNames: [id],
    });
    const found = (await unless(["ValidationError"], cloud.autoScaling.send(command)))?.ScalingPolicies?.[0];
    if (found === undefined) return undefined;
    const tracking = found.TargetTrackingConfiguration;
    const metric = tracking?.PredefinedMetricSpecification;
    return {
      adjustmentType: found.AdjustmentType,
      arn: found.PolicyARN ?? "",
      autoscalingGroupName: found.AutoScalingGroupName ?? "",
      cooldown: found.Cooldown,
      enabled: found.Enabled ?? true,
      estimatedInstanceWarmup: found.EstimatedInstanceWarmup,
      metricAggregationType: found.MetricAggregationType ?? "",
      minAdjustmentMagnitude: found.MinAdjustmentMagnitude,
      name: id,
      policyType: found.PolicyType ?? "SimpleScaling",
      scalingAdjustment: found.ScalingAdjustment,
      stepAdjustments: found.StepAdjustments?.map((step) => ({
        metricIntervalLowerBound: step.MetricIntervalLowerBound?.toString(),
        metricIntervalUpperBound: step.MetricIntervalUpperBound?.toString(),
        scalingAdjustment: step.ScalingAdjustment ?? 0,
      })),
      targetTrackingConfiguration: tracking && {
        disableScaleIn: tracking.DisableScaleIn ?? false,
        predefinedMetricSpecification: metric && {
          predefinedMetricType: metric.PredefinedMetricType ?? "",
          resourceLabel: metric.ResourceLabel,
        },
        targetValue: tracking.TargetValue ?? 0,
      },
    };
  },

  async update({ cloud, news }) {
    await put(cloud, news);
  },

  async delete({ id, cloud, state }) {
    const command = new DeletePolicyCommand({ AutoScalingGroupName: state.autoscalingGroupName, PolicyName: id });
    await unless(["ValidationError"], cloud.autoScaling.send(command));
  },

  /** `GROUP/NAME` */
  async importId(id) {
    const [autoscalingGroupName = "", name = ""] = id.split("/");
    return { id: name, autoscalingGroupName };
  },
});

async function put(cloud: Cloud, inputs: Inputs): Promise<void> {
  const { targetTrackingConfiguration: tracking } = inputs;
  const metric = tracking?.predefinedMetricSpecification;
  const numeric = (value: string | undefined) => (value === undefined || value === "" ? undefined : Number(value));
  await cloud.autoScaling.send(
    new PutScalingPolicyCommand({
      AutoScalingGroupName: inputs.autoscalingGroupName,
      PolicyName: inputs.name,
      PolicyType: inputs.policyType,
      AdjustmentType: inputs.adjustmentType,
      Cooldown: inputs.cooldown,
      Enabled: inputs.enabled,
      EstimatedInstanceWarmup: inputs.estimatedInstanceWarmup,
      MetricAggregationType: inputs.metricAggregationType,
      MinAdjustmentMagnitude: inputs.minAdjustmentMagnitude,
      ScalingAdjustment: inputs.scalingAdjustment,
      StepAdjustments: inputs.stepAdjustments?.map((step) => ({
        MetricIntervalLowerBound: numeric(step.metricIntervalLowerBound),
        MetricIntervalUpperBound: numeric(step.metricIntervalUpperBound),
        ScalingAdjustment: step.scalingAdjustment,
      })),
      TargetTrackingConfiguration: tracking && {
        DisableScaleIn: tracking.disableScaleIn,
        TargetValue: tracking.targetValue,
        PredefinedMetricSpecification: metric && {
          PredefinedMetricType: metric.predefinedMetricType as MetricType,
          ResourceLabel: metric.resourceLabel,
        },
      },
    }),
  );
}
