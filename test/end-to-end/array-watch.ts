import { setTimeout as sleep } from "node:timers/promises";
import {
  AutoScalingClient,
  type AutoScalingClientConfig,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
} from "@aws-sdk/client-auto-scaling";
import { DescribeTargetHealthCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { eventually } from "../sandbox/support.ts";

/** Scales arrays as autoscaling would, and looks all the time whether that is undone. */
export class ArrayWatch {
  readonly scaling: AutoScalingClient;
  readonly #balancing: ElasticLoadBalancingV2Client;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  /** The capacity that was set last, by generation. */
  readonly wanted = new Map<string, number>();
  /** What was scaled last, the old array or the new one once it took over, and how many of its servers had been there. */
  #scaled = { generation: "", wanted: 0, floor: 0 };
  /** Capacities that somebody else changed, and moments with fewer servers in service than were wanted and had been there. */
  readonly problems: string[] = [];
  #moment = "";

  constructor(settings: AutoScalingClientConfig) {
    this.scaling = new AutoScalingClient(settings);
    this.#balancing = new ElasticLoadBalancingV2Client(settings);
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    this.scaling.destroy();
    this.#balancing.destroy();
  }

  async groups(): Promise<readonly AutoScalingGroup[]> {
    return (await this.scaling.send(new DescribeAutoScalingGroupsCommand({}))).AutoScalingGroups ?? [];
  }

  async groupOf(generation: string): Promise<AutoScalingGroup | undefined> {
    return (await this.groups()).find(({ Tags }) =>
      Tags?.some(({ Key, Value }) => Key === "handover:generation" && Value === generation),
    );
  }

  /** @param moment is shown with problems from then on */
  async scale(generation: string, change: 1 | -1, moment: string): Promise<void> {
    this.#moment = moment;
    // A server that is on its way when another is taken away would be missed, whoever else is at work.
    if (change < 0) await eventually(async () => (await this.#pending(generation)) === 0, "the last change");
    const { AutoScalingGroupName, DesiredCapacity: before = 0 } = (await this.groupOf(generation)) ?? {};
    // A new array begins with the capacity of the one that it takes over from.
    const expected = this.wanted.get(generation) ?? (this.#scaled.wanted || before);
    if (before !== expected)
      this.problems.push(`${this.#moment}: ${generation} wants ${before} instead of ${expected}`);
    const wanted = before + change;
    const floor = generation === this.#scaled.generation ? Math.min(wanted, this.#scaled.floor) : 0;
    this.#scaled = { generation, wanted, floor };
    this.wanted.set(generation, wanted);
    await this.scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: wanted }));
  }

  async #pending(generation: string): Promise<number> {
    const { Instances = [] } = (await this.groupOf(generation)) ?? {};
    return Instances.filter(({ LifecycleState }) => LifecycleState === "Pending").length;
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const scaled = this.#scaled;
      const { generation, wanted } = scaled;
      const inService = await this.#inService(generation);
      // What was seen while it was scaled is neither the one nor the other.
      if (scaled === this.#scaled) {
        scaled.floor = Math.min(wanted, Math.max(scaled.floor, inService));
        if (inService < scaled.floor)
          this.problems.push(`${this.#moment}: ${generation} has ${inService} in service instead of ${scaled.floor}`);
      }
      await sleep(200, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** Servers of an array that get traffic from the load balancer, or will when it finds them healthy. */
  async #inService(generation: string): Promise<number> {
    const { Instances = [], TargetGroupARNs: [TargetGroupArn] = [] } = (await this.groupOf(generation)) ?? {};
    if (TargetGroupArn === undefined) return 0;
    const command = new DescribeTargetHealthCommand({ TargetGroupArn });
    const { TargetHealthDescriptions = [] } = await this.#balancing.send(command);
    const serving = TargetHealthDescriptions.filter(({ TargetHealth }) =>
      ["initial", "healthy"].includes(TargetHealth?.State ?? ""),
    ).map(({ Target }) => Target?.Id);
    return Instances.filter(
      ({ InstanceId, LifecycleState }) => LifecycleState === "InService" && serving.includes(InstanceId),
    ).length;
  }
}
