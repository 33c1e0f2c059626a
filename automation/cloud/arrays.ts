import { type AutoScalingClient, DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { type EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import type { Frontend } from "../../stacks/outputs.ts";

/** An Auto Scaling group as it is now. */
export interface ArrayNow {
  readonly minSize: number;
  readonly maxSize: number;
  /** Number of servers that autoscaling wants. */
  readonly desiredCapacity: number;
  readonly suspendedProcesses: readonly string[];
  readonly servers: readonly ArrayServer[];
}

export interface ArrayServer {
  readonly instanceId: string;
  /** AWS's word: `Pending`, `InService`, `Terminating`, … */
  readonly lifecycleState: string;
  readonly healthy: boolean;
}

/** Reads Auto Scaling groups for the gates. */
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
      servers: (group.Instances ?? []).map(({ InstanceId = "", LifecycleState = "", HealthStatus }) => ({
        instanceId: InstanceId,
        lifecycleState: LifecycleState,
        healthy: HealthStatus?.toLowerCase() === "healthy",
      })),
    };
  }

  /** The servers that arrays of these names have launched and that are not terminated, whether or not the arrays are left. */
  async servers(names: readonly string[], abortSignal?: AbortSignal): Promise<readonly Frontend[]> {
    if (names.length === 0) return [];
    const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
    const Filters = [
      { Name: "tag:aws:autoscaling:groupName", Values: [...names] },
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
