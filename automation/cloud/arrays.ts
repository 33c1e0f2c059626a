import {
  type AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  DescribeLifecycleHooksCommand,
  DescribeNotificationConfigurationsCommand,
  DescribePoliciesCommand,
  type LifecycleHook,
  type NotificationConfiguration,
  paginateDescribeScheduledActions,
  type ScalingPolicy,
  type ScheduledUpdateGroupAction,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import { type EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import type { Frontend } from "../../stacks/outputs.ts";

/** The sizes of an Auto Scaling group. */
export interface Sizes {
  readonly minSize: number;
  readonly maxSize: number;
  /** Number of servers that autoscaling wants. */
  readonly desiredCapacity: number;
}

/** An Auto Scaling group as it is now. */
export interface ArrayNow extends Sizes {
  readonly suspendedProcesses: readonly string[];
  /** AWS's reason, with the time, by process. */
  readonly suspensions: Readonly<Record<string, string>>;
  readonly servers: readonly ArrayServer[];
}

export interface ArrayServer {
  readonly instanceId: string;
  /** AWS's word: `Pending`, `InService`, `Terminating`, … */
  readonly lifecycleState: string;
  readonly healthy: boolean;
}

/** A scheduled action; times are milliseconds since the epoch. */
export interface ScheduledAction extends Partial<Sizes> {
  readonly name: string;
  readonly recurrence?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
}

/** An Auto Scaling group with everything around it that somebody may have made by hand. */
export interface ArrayDescription {
  readonly group: AutoScalingGroup;
  readonly hooks: readonly LifecycleHook[];
  readonly policies: readonly ScalingPolicy[];
  readonly actions: readonly ScheduledAction[];
  /** What it tells topics, an entry for each type of event. */
  readonly notifications: readonly NotificationConfiguration[];
}

/** Reads Auto Scaling groups for the gates, and makes up for scheduled actions that a run has suspended. */
export class Arrays {
  readonly #scaling: AutoScalingClient;
  readonly #ec2: EC2Client;

  constructor(scaling: AutoScalingClient, ec2: EC2Client) {
    this.#scaling = scaling;
    this.#ec2 = ec2;
  }

  /** Undefined when there is none of this name. */
  async find(name: string, abortSignal?: AbortSignal): Promise<ArrayNow | undefined> {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
    const { AutoScalingGroups = [] } = await this.#scaling.send(command, { abortSignal });
    const [group] = AutoScalingGroups;
    if (group === undefined) return undefined;
    return {
      minSize: group.MinSize ?? 0,
      maxSize: group.MaxSize ?? 0,
      desiredCapacity: group.DesiredCapacity ?? 0,
      suspendedProcesses: (group.SuspendedProcesses ?? []).map(({ ProcessName = "" }) => ProcessName),
      suspensions: Object.fromEntries(
        (group.SuspendedProcesses ?? []).map(({ ProcessName = "", SuspensionReason = "" }) => [
          ProcessName,
          SuspensionReason,
        ]),
      ),
      servers: (group.Instances ?? []).map(({ InstanceId = "", LifecycleState = "", HealthStatus }) => ({
        instanceId: InstanceId,
        lifecycleState: LifecycleState,
        healthy: HealthStatus?.toLowerCase() === "healthy",
      })),
    };
  }

  async scheduledActions(name: string, abortSignal?: AbortSignal): Promise<ScheduledAction[]> {
    const found: ScheduledAction[] = [];
    const pages = paginateDescribeScheduledActions(
      { client: this.#scaling },
      { AutoScalingGroupName: name },
      { abortSignal },
    );
    for await (const { ScheduledUpdateGroupActions = [] } of pages)
      found.push(...ScheduledUpdateGroupActions.map(asAction));
    return found;
  }

  /** The group with everything around it that may have been made by hand; undefined when there is none of this name. */
  async describe(name: string, abortSignal?: AbortSignal): Promise<ArrayDescription | undefined> {
    const options = { abortSignal };
    const AutoScalingGroupName = name;
    const [groups, hooks, policies, actions, notifications] = await Promise.all([
      this.#scaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }), options),
      this.#scaling.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName }), options),
      this.#scaling.send(new DescribePoliciesCommand({ AutoScalingGroupName }), options),
      this.scheduledActions(name, abortSignal),
      this.#scaling.send(new DescribeNotificationConfigurationsCommand({ AutoScalingGroupNames: [name] }), options),
    ]);
    const group = groups.AutoScalingGroups?.[0];
    if (group === undefined) return undefined;
    return {
      ...{ group, actions },
      hooks: hooks.LifecycleHooks ?? [],
      policies: policies.ScalingPolicies ?? [],
      notifications: notifications.NotificationConfigurations ?? [],
    };
  }

  /** Gives an array the sizes that its scheduled actions would have given it. Apart from this the driver changes no array. */
  async setSizes(name: string, { minSize, maxSize, desiredCapacity }: Sizes, abortSignal?: AbortSignal): Promise<void> {
    const sizes = { MinSize: minSize, MaxSize: maxSize, DesiredCapacity: desiredCapacity };
    await this.#scaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: name, ...sizes }), {
      abortSignal,
    });
  }

  /**
   * The servers that arrays of these names have launched and that are not terminated, whether or not the arrays are left.
   * Those of an array that is left are known to it before AWS shows their tags.
   */
  async servers(names: readonly string[], abortSignal?: AbortSignal): Promise<readonly Frontend[]> {
    const [tagged, ...arrays] = await Promise.all([
      this.#instances("tag:aws:autoscaling:groupName", names, abortSignal),
      ...names.map((name) => this.find(name, abortSignal)),
    ]);
    const known = new Set(tagged.map(({ instanceId }) => instanceId));
    const own = arrays.flatMap((array) => array?.servers ?? []);
    const untagged = own.filter(({ instanceId }) => !known.has(instanceId));
    return [...tagged, ...(await this.byId(untagged, abortSignal))];
  }

  /** Some of an array's servers; one that is terminated, or that AWS does not show, is missing. */
  async byId(servers: readonly ArrayServer[], abortSignal?: AbortSignal): Promise<readonly Frontend[]> {
    return this.#instances(
      "instance-id",
      servers.map(({ instanceId }) => instanceId),
      abortSignal,
    );
  }

  async #instances(Name: string, values: readonly string[], abortSignal?: AbortSignal): Promise<Frontend[]> {
    if (values.length === 0) return [];
    const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
    const Filters = [
      { Name, Values: [...values] },
      { Name: "instance-state-name", Values: states },
    ];
    const found: Frontend[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances(
      { client: this.#ec2 },
      { Filters },
      { abortSignal },
    )) {
      for (const { InstanceId = "", PrivateIpAddress = "" } of Reservations.flatMap(({ Instances = [] }) => Instances))
        found.push({ name: InstanceId, instanceId: InstanceId, privateIp: PrivateIpAddress });
    }
    return found;
  }
}

function asAction(found: ScheduledUpdateGroupAction): ScheduledAction {
  return {
    name: found.ScheduledActionName ?? "",
    recurrence: found.Recurrence,
    timeZone: found.TimeZone,
    startTime: found.StartTime?.getTime(),
    endTime: found.EndTime?.getTime(),
    ...(found.MinSize !== undefined && { minSize: found.MinSize }),
    ...(found.MaxSize !== undefined && { maxSize: found.MaxSize }),
    ...(found.DesiredCapacity !== undefined && { desiredCapacity: found.DesiredCapacity }),
  };
}
