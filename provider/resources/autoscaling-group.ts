import {
  AttachLoadBalancerTargetGroupsCommand,
  CreateAutoScalingGroupCommand,
  CreateOrUpdateTagsCommand,
  DeleteAutoScalingGroupCommand,
  DeleteTagsCommand,
  DetachLoadBalancerTargetGroupsCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import type * as aws from "@pulumi/aws";
import { canonicalJson } from "../../automation/ledger/canonical.ts";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, list, number, object, set, string } from "../fields.ts";
import { type Change, type InputsOf, type Operation, resource } from "../resource.ts";
import { insist, waitFor } from "../wait.ts";
import { describeGroup, findGroup } from "./autoscaling-group-state.ts";

type Inputs = InputsOf<aws.autoscaling.GroupArgs>;
const computed = { computed: true };

export const autoscalingGroup = resource<aws.autoscaling.Group, aws.autoscaling.GroupArgs>({
  token: "aws:autoscaling/group:Group",
  fields: {
    availabilityZones: set(string(), computed),
    defaultCooldown: number(computed),
    desiredCapacity: number(computed),
    forceDelete: boolean({ default: false, writeOnly: true }),
    healthCheckGracePeriod: number({ default: 300 }),
    healthCheckType: string(computed),
    initialLifecycleHooks: set(
      object<aws.types.input.autoscaling.GroupInitialLifecycleHook>({
        defaultResult: string(),
        heartbeatTimeout: number(),
        lifecycleTransition: string({ required: true }),
        name: string({ required: true }),
        notificationMetadata: string(),
        notificationTargetArn: string(),
        roleArn: string(),
      }),
      { writeOnly: true },
    ),
    launchTemplate: object<aws.types.input.autoscaling.GroupLaunchTemplate>(
      { id: string(computed), name: string(computed), version: string({ default: "$Default" }) },
      { required: true },
    ),
    maxSize: number({ required: true }),
    minElbCapacity: number({ writeOnly: true }),
    minSize: number({ required: true }),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    protectFromScaleIn: boolean({ default: false }),
    suspendedProcesses: set(string()),
    tags: set(
      object<aws.types.input.autoscaling.GroupTag>({
        key: string({ required: true }),
        propagateAtLaunch: boolean({ required: true }),
        value: string({ required: true }),
      }),
    ),
    targetGroupArns: set(string(), { computed: true, mayBeEmptied: true }),
    terminationPolicies: list(string()),
    vpcZoneIdentifiers: set(string(), computed),
    waitForCapacityTimeout: string({ default: "10m", writeOnly: true }),
    waitForElbCapacity: number({ writeOnly: true }),
  },
  computed: { arn: true, predictedCapacity: true, warmPoolSize: true },
  autoname: { property: "name", maxLength: 255 },

  async create(inputs, creation) {
    const { cloud, created, isHeld } = creation;
    const { name = "" } = inputs;
    try {
      await cloud.autoScaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: name,
          ...settings(inputs),
          AvailabilityZones: inputs.availabilityZones,
          LifecycleHookSpecificationList: inputs.initialLifecycleHooks?.map((hook) => ({
            LifecycleHookName: hook.name,
            LifecycleTransition: hook.lifecycleTransition,
            DefaultResult: hook.defaultResult,
            HeartbeatTimeout: hook.heartbeatTimeout,
            NotificationMetadata: hook.notificationMetadata,
            NotificationTargetARN: hook.notificationTargetArn,
            RoleARN: hook.roleArn,
          })),
          MinSize: inputs.minSize,
          MaxSize: inputs.maxSize,
          Tags: tagRequests(name, inputs.tags),
          TargetGroupARNs: inputs.targetGroupArns,
        }),
      );
    } catch (error) {
      // One with a fixed name and the same tags that the state does not hold was left behind by a crash.
      const mayBeOwn = ["AlreadyExists", "AlreadyExistsFault"].includes(codeOf(error) ?? "") && !isHeld;
      const left = mayBeOwn ? await describeGroup({ ...creation, id: name, state: {} }) : undefined;
      if (left === undefined || !sameTags(left.tags, inputs.tags)) throw error;
    }
    created(name);
    await waitForCapacity(creation, name, inputs);
    await changeProcesses(cloud, name, [], inputs.suspendedProcesses);
    return name;
  },

  read: describeGroup,

  async update(change) {
    const { cloud, id, news, changed } = change;
    const command = new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: id,
      ...settings(news),
      DesiredCapacity: changed("desiredCapacity") ? news.desiredCapacity : undefined,
      MinSize: news.minSize,
      MaxSize: news.maxSize,
    });
    await cloud.autoScaling.send(command);
    await updateTargetGroups(change);
    await updateGroupTags(change);
    if (changed("minSize", "maxSize", "desiredCapacity")) await waitForCapacity(change, id, news);
    await changeProcesses(cloud, id, change.olds.suspendedProcesses, news.suspendedProcesses);
  },

  /** The group is emptied first, so that its servers leave as they do when it shrinks. */
  async delete({ id, cloud, state, signal, timeoutSeconds = 600 }) {
    const wait = { timeoutSeconds, signal };
    if ((await findGroup(cloud, id)) === undefined) return;
    if (!state.forceDelete) {
      const none = { MinSize: 0, MaxSize: 0, DesiredCapacity: 0 };
      await cloud.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: id, ...none }));
      const isEmpty = async () => ((await findGroup(cloud, id))?.Instances?.length ? undefined : true);
      await waitFor(isEmpty, { what: `${id} to be empty`, ...wait });
    }
    const command = new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: id, ForceDelete: state.forceDelete });
    const busy = ["ResourceInUse", "ResourceInUseFault", "ScalingActivityInProgress", "ScalingActivityInProgressFault"];
    await insist(busy, () => unless(["ValidationError"], cloud.autoScaling.send(command)), wait);
    const isGone = async () => ((await findGroup(cloud, id)) === undefined ? true : undefined);
    await waitFor(isGone, { what: `${id} to be gone`, ...wait });
  },
});

function settings(inputs: Inputs) {
  const { launchTemplate: template, vpcZoneIdentifiers: subnets } = inputs;
  return {
    DefaultCooldown: inputs.defaultCooldown,
    DesiredCapacity: inputs.desiredCapacity,
    HealthCheckGracePeriod: inputs.healthCheckGracePeriod,
    HealthCheckType: inputs.healthCheckType,
    LaunchTemplate: template && {
      // AWS takes one of the two.
      ...(template.id !== undefined ? { LaunchTemplateId: template.id } : { LaunchTemplateName: template.name }),
      Version: template.version ?? "$Default",
    },
    NewInstancesProtectedFromScaleIn: inputs.protectFromScaleIn,
    TerminationPolicies: inputs.terminationPolicies,
    VPCZoneIdentifier: subnets?.join(","),
  };
}

/** Waits until as many servers are in service as the program asks for; scaling may remove any beyond that again. */
async function waitForCapacity(operation: Operation, name: string, inputs: Inputs): Promise<void> {
  const { cloud, signal } = operation;
  const timeoutSeconds = secondsOf(inputs.waitForCapacityTimeout ?? "10m");
  const wanted = inputs.desiredCapacity ?? inputs.minSize;
  if (timeoutSeconds === 0) return;
  const isSatisfied = async () => {
    const { Instances = [], TargetGroupARNs = [] } = (await findGroup(cloud, name)) ?? {};
    const inService = Instances.filter(
      ({ LifecycleState, HealthStatus }) => LifecycleState === "InService" && HealthStatus?.toLowerCase() === "healthy",
    );
    const healthyWanted = inputs.waitForElbCapacity ?? inputs.minElbCapacity ?? 0;
    if (inService.length < wanted) return undefined;
    if (healthyWanted === 0) return true;
    const healthy = await Promise.all(
      TargetGroupARNs.map(async (arn) =>
        ((await cloud.targets.load(arn)) ?? []).filter(
          ({ Target, TargetHealth }) =>
            TargetHealth?.State === "healthy" && inService.some(({ InstanceId }) => InstanceId === Target?.Id),
        ),
      ),
    );
    return healthy.every((targets) => targets.length >= healthyWanted) ? true : undefined;
  };
  await waitFor(isSatisfied, { what: `${name} to have ${wanted} servers in service`, timeoutSeconds, signal });
}

/** Go's durations, as the official plugin takes them: `10m`, `1h30m`, `0`. */
function secondsOf(duration: string): number {
  const units = { h: 3600, m: 60, s: 1 } as const;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)];
  if (duration !== "0" && parts.map(([part]) => part).join("") !== duration) {
    throw new Error(`waitForCapacityTimeout: "${duration}" is no duration, for example 10m`);
  }
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * units[unit as keyof typeof units], 0);
}

async function changeProcesses(
  cloud: Cloud,
  AutoScalingGroupName: string,
  olds: readonly string[] = [],
  news: readonly string[] = [],
): Promise<void> {
  const resumed = olds.filter((process) => !news.includes(process));
  const suspended = news.filter((process) => !olds.includes(process));
  const of = (ScalingProcesses: string[]) => ({ AutoScalingGroupName, ScalingProcesses });
  if (resumed.length > 0) await cloud.autoScaling.send(new ResumeProcessesCommand(of(resumed)));
  if (suspended.length > 0) await cloud.autoScaling.send(new SuspendProcessesCommand(of(suspended)));
}

type GroupChange = Change<aws.autoscaling.GroupArgs, aws.autoscaling.Group>;

async function updateTargetGroups({ cloud, id, olds, news, changed }: GroupChange): Promise<void> {
  if (!changed("targetGroupArns")) return;
  const [before = [], after = []] = [olds.targetGroupArns, news.targetGroupArns];
  const of = (TargetGroupARNs: string[]) => ({ AutoScalingGroupName: id, TargetGroupARNs });
  const attached = after.filter((arn) => !before.includes(arn));
  const detached = before.filter((arn) => !after.includes(arn));
  if (attached.length > 0) await cloud.autoScaling.send(new AttachLoadBalancerTargetGroupsCommand(of(attached)));
  if (detached.length > 0) await cloud.autoScaling.send(new DetachLoadBalancerTargetGroupsCommand(of(detached)));
}

async function updateGroupTags({ cloud, id, olds, news, changed }: GroupChange): Promise<void> {
  if (!changed("tags")) return;
  const [before = [], after = []] = [olds.tags, news.tags];
  const removed = before.filter(({ key }) => !after.some((tag) => tag.key === key));
  if (removed.length > 0) await cloud.autoScaling.send(new DeleteTagsCommand({ Tags: tagRequests(id, removed) }));
  if (after.length > 0) await cloud.autoScaling.send(new CreateOrUpdateTagsCommand({ Tags: tagRequests(id, after) }));
}

function tagRequests(name: string, tags: Inputs["tags"]) {
  return (tags ?? []).map(({ key, value, propagateAtLaunch }) => ({
    Key: key,
    Value: value,
    PropagateAtLaunch: propagateAtLaunch,
    ResourceId: name,
    ResourceType: "auto-scaling-group",
  }));
}

function sameTags(found: Inputs["tags"], wanted: Inputs["tags"]): boolean {
  const sorted = (tags: Inputs["tags"]) => canonicalJson([...(tags ?? [])].map(canonicalJson).sort());
  return (wanted ?? []).length > 0 && sorted(found) === sorted(wanted);
}
