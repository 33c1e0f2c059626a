import {
  AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
} from "@aws-sdk/client-auto-scaling";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Address, DescribeAddressesCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type LoadBalancer,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { allInstances } from "../instances.ts";
import { observer } from "../observer.ts";
import type { Sandbox } from "../sandbox.ts";
import { slot } from "../slot.ts";
import { WayOut } from "./proxy.ts";

/** A server as AWS shows it. */
export interface Server {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

/** A sandbox's AWS, as somebody has it in hand who knows nothing of the run. */
export class World {
  readonly sandbox: Sandbox;
  readonly site: string;
  readonly ec2: EC2Client;
  readonly balancing: ElasticLoadBalancingV2Client;
  readonly scaling: AutoScalingClient;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamodb: DynamoDBClient;
  /** The way out of a driver that has no other. */
  readonly proxy: WayOut;
  /** Of the cloud. */
  readonly endpoint: string;
  readonly #networkUrl: string;

  constructor(sandbox: Sandbox) {
    const { cloud, network } = slot(sandbox.slot);
    const settings = { region: sandbox.region, endpoint: cloud.url, credentials: observer };
    this.sandbox = sandbox;
    this.site = `handover-${sandbox.name}`;
    this.ec2 = new EC2Client(settings);
    this.balancing = new ElasticLoadBalancingV2Client(settings);
    this.scaling = new AutoScalingClient(settings);
    this.cloudWatch = new CloudWatchClient(settings);
    this.dynamodb = new DynamoDBClient(settings);
    this.proxy = new WayOut(cloud.url);
    this.endpoint = cloud.url;
    this.#networkUrl = network.url;
  }

  /** A generation's frontends in their order, also those that are stopped. */
  async frontends(generation: string): Promise<readonly Server[]> {
    const all = await this.#servers(generation);
    return all.filter(({ name }) => /-\d+$/.test(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All of a generation's servers, its array's too. */
  async #servers(generation: string): Promise<readonly Server[]> {
    const Filters = [{ Name: "tag:handover:generation", Values: [generation] }];
    return (await allInstances(this.ec2, Filters))
      .map(({ InstanceId: id = "", State, Tags = [] }) => ({
        id,
        name: Tags.find(({ Key }) => Key === "Name")?.Value ?? "",
        state: State?.Name ?? "",
      }))
      .filter(({ state }) => state !== "terminated" && state !== "shutting-down");
  }

  /** A server that runs; undefined when a generation has none. */
  async running(generation: string, index = 0): Promise<Server | undefined> {
    return (await this.frontends(generation)).filter(({ state }) => state === "running")[index];
  }

  async allRunning(generation: string): Promise<readonly Server[]> {
    return (await this.#servers(generation)).filter(({ state }) => state === "running");
  }

  /** Undefined once it is gone. */
  async stateOf(id: string): Promise<string | undefined> {
    return (await allInstances(this.ec2)).find(({ InstanceId }) => InstanceId === id)?.State?.Name;
  }

  /** The site's Elastic IPs. */
  async addresses(): Promise<readonly Address[]> {
    const Filters = [{ Name: "tag:handover:site", Values: [this.site] }];
    return (await this.ec2.send(new DescribeAddressesCommand({ Filters }))).Addresses ?? [];
  }

  async loadBalancer(): Promise<LoadBalancer> {
    const { LoadBalancers: [balancer] = [] } = await this.balancing.send(new DescribeLoadBalancersCommand({}));
    if (balancer === undefined) throw new Error("There is no load balancer.");
    return balancer;
  }

  /** Whether the test host name leads anywhere: by the only rule that the listener has beside its default. */
  async hasTestRule(): Promise<boolean> {
    const { LoadBalancerArn } = await this.loadBalancer();
    const { Listeners: [listener] = [] } = await this.balancing.send(new DescribeListenersCommand({ LoadBalancerArn }));
    const { ListenerArn } = listener ?? {};
    const { Rules = [] } = await this.balancing.send(new DescribeRulesCommand({ ListenerArn }));
    return Rules.some(({ IsDefault }) => IsDefault !== true);
  }

  /** The target group in which a server is. */
  async targetGroupOf(serverId: string): Promise<string | undefined> {
    const { TargetGroups = [] } = await this.balancing.send(new DescribeTargetGroupsCommand({}));
    for (const { TargetGroupArn } of TargetGroups)
      if ((await this.targetsIn(TargetGroupArn)).includes(serverId)) return TargetGroupArn;
    return undefined;
  }

  async targetsIn(TargetGroupArn: string | undefined): Promise<readonly string[]> {
    const health = await this.balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    return (health.TargetHealthDescriptions ?? [])
      .filter(({ TargetHealth }) => TargetHealth?.State !== "draining")
      .map(({ Target }) => Target?.Id ?? "");
  }

  async arrays(): Promise<readonly AutoScalingGroup[]> {
    const { AutoScalingGroups = [] } = await this.scaling.send(new DescribeAutoScalingGroupsCommand({}));
    return AutoScalingGroups.filter(({ Status }) => Status === undefined);
  }

  /** A generation's array. */
  async arrayOf(generation: string): Promise<AutoScalingGroup | undefined> {
    const isIt = (tag: { Key?: string; Value?: string }) =>
      tag.Key === "handover:generation" && tag.Value === generation;
    return (await this.arrays()).find(({ Tags = [] }) => Tags.some(isIt));
  }

  /** Ends a server's process; the instance still runs. */
  async crash(serverId: string): Promise<boolean> {
    return (await fetch(`${this.#networkUrl}/network/crash/${serverId}`, { method: "POST" })).ok;
  }

  /** Lets the status checks of these servers fail, and of no others. */
  async impair(ids: readonly string[]): Promise<void> {
    await this.#post("settings", { impairedInstances: ids });
  }

  async #post(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.endpoint}/sandbox/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`The cloud refused ${path}: ${await answer.text()}`);
  }

  /** Moves of addresses so far. */
  async moves(): Promise<readonly { readonly publicIp: string; readonly at: number; readonly to: string | null }[]> {
    return (await (await fetch(`${this.#networkUrl}/network/moves`)).json()) as never;
  }

  close(): void {
    for (const client of [this.ec2, this.balancing, this.scaling, this.cloudWatch, this.dynamodb]) client.destroy();
  }
}
