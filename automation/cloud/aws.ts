import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  type Image,
  type InstanceStatus,
} from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { absentSeconds, foundInTime } from "./absence.ts";
import type { Access } from "./access.ts";
import { AddressMoves } from "./address-moves.ts";
import { Arrays } from "./arrays.ts";
import { chunks } from "./chunks.ts";
import { clientSettings } from "./client-settings.ts";
import { CloudWatch } from "./cloudwatch.ts";
import { findCreated, type Inputs } from "./created.ts";
import { credentialsEnd } from "./credentials.ts";
import { ElasticIps } from "./elastic-ips.ts";
import { Launches } from "./launches.ts";
import { isNotFound } from "./not-found.ts";
import { Quotas } from "./quotas.ts";
import { type Known, type ListenerAndRules, listenersOf, routingOf } from "./routing.ts";
import { Snapshots } from "./snapshots.ts";
import { Volumes } from "./volumes.ts";
import { hasTestRule, type TestHost, testHostProblems, waysIn } from "./ways-in.ts";
import { WaysOut } from "./ways-out.ts";

/**
 * Reads AWS for the gates, moves addresses, and lets volumes outlive their servers. As whom, and where, says its `Access`.
 */
export class Aws {
  readonly #ec2: EC2Client;
  readonly #balancing: ElasticLoadBalancingV2Client;
  readonly #dynamodb: DynamoDBClient;
  readonly #scaling: AutoScalingClient;
  readonly #sts: STSClient;
  /** What it does not show for so long is not there. */
  readonly absentSeconds: number = absentSeconds;
  readonly addressMoves: AddressMoves;
  readonly arrays: Arrays;
  readonly cloudWatch: CloudWatch;
  readonly elasticIps: ElasticIps;
  readonly launches: Launches;
  readonly quotas: Quotas;
  readonly snapshots: Snapshots;
  readonly volumes: Volumes;
  readonly waysOut: WaysOut;

  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
    this.#ec2 = new EC2Client(clientSettings(access, "ec2"));
    this.#balancing = new ElasticLoadBalancingV2Client(clientSettings(access, "elbv2"));
    this.#dynamodb = new DynamoDBClient(clientSettings(access, "dynamodb"));
    this.#scaling = new AutoScalingClient(clientSettings(access, "autoscaling"));
    this.#sts = new STSClient(clientSettings(access, "sts"));
    this.addressMoves = new AddressMoves(access);
    this.arrays = new Arrays(this.#scaling, this.#ec2);
    this.cloudWatch = new CloudWatch(clientSettings(access, "cloudwatch"), clientSettings(access, "logs"));
    this.elasticIps = new ElasticIps(this.#ec2);
    this.launches = new Launches(this.#ec2);
    this.quotas = new Quotas(access);
    this.snapshots = new Snapshots(access);
    this.volumes = new Volumes(this.#ec2);
    this.waysOut = new WaysOut(this.#ec2);
  }

  /** The image, or undefined when it does not exist or is not shared with this account. It may be new: AWS is asked again. */
  async image(imageId: string, abortSignal?: AbortSignal): Promise<Image | undefined> {
    return foundInTime(() => this.#imageNow(imageId, abortSignal), this.absentSeconds, abortSignal);
  }

  async #imageNow(imageId: string, abortSignal?: AbortSignal): Promise<Image | undefined> {
    try {
      const command = new DescribeImagesCommand({ ImageIds: [imageId], IncludeDeprecated: true });
      const { Images = [] } = await this.#ec2.send(command, { abortSignal });
      return Images[0];
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** The architectures that an instance type runs, or undefined when there is no such type in the region. */
  async architecturesOf(instanceType: string, abortSignal?: AbortSignal): Promise<readonly string[] | undefined> {
    try {
      const command = new DescribeInstanceTypesCommand({ InstanceTypes: [instanceType as never] });
      const { InstanceTypes = [] } = await this.#ec2.send(command, { abortSignal });
      return InstanceTypes[0]?.ProcessorInfo?.SupportedArchitectures;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** State and status checks of instances, by id. Missing are those that AWS does not know: no longer, or not yet. */
  async instanceStatuses(
    instanceIds: readonly string[],
    abortSignal?: AbortSignal,
  ): Promise<Map<string, InstanceStatus>> {
    const found = await Promise.all(chunks(instanceIds, 100).map((ids) => this.#statusesOf(ids, abortSignal)));
    return new Map(found.flat().map((status) => [status.InstanceId ?? "", status]));
  }

  /** One that is not known makes the call fail for all: then each half is asked about by itself. */
  async #statusesOf(ids: readonly string[], abortSignal?: AbortSignal): Promise<InstanceStatus[]> {
    try {
      const command = new DescribeInstanceStatusCommand({ InstanceIds: [...ids], IncludeAllInstances: true });
      return (await this.#ec2.send(command, { abortSignal })).InstanceStatuses ?? [];
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (ids.length === 1) return [];
      const halves = chunks(ids, Math.ceil(ids.length / 2));
      return (await Promise.all(halves.map((half) => this.#statusesOf(half, abortSignal)))).flat();
    }
  }

  /** Health of what is registered in a target group, by instance id. */
  async targetHealth(targetGroupArn: string, abortSignal?: AbortSignal): Promise<Map<string, TargetHealthDescription>> {
    const command = new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn });
    const { TargetHealthDescriptions = [] } = await this.#balancing.send(command, { abortSignal });
    return new Map(TargetHealthDescriptions.map((target) => [target.Target?.Id ?? "", target]));
  }

  /** The instance that holds each Elastic IP, by allocation id. */
  async addressHolders(allocationIds: readonly string[], abortSignal?: AbortSignal): Promise<Map<string, string>> {
    if (allocationIds.length === 0) return new Map();
    const command = new DescribeAddressesCommand({ AllocationIds: [...allocationIds] });
    const { Addresses = [] } = await this.#ec2.send(command, { abortSignal });
    return new Map(Addresses.map((address) => [address.AllocationId ?? "", address.InstanceId ?? ""]));
  }

  /** Everything that reaches a generation's servers and that Handover does not shift, by name. */
  async waysIn(known: Known, abortSignal?: AbortSignal): Promise<string[]> {
    const clients = { ec2: this.#ec2, balancing: this.#balancing, scaling: this.#scaling };
    return waysIn(known, await routingOf(known, clients, abortSignal));
  }

  /** Why the test host name might reach others than the generation that is tested, or the public name that one. */
  async testHostProblems(known: readonly TestHost[], abortSignal?: AbortSignal): Promise<string[]> {
    const each = await this.#ofListeners(known, testHostProblems, abortSignal);
    return each.flat();
  }

  /** Whether the test host name has its rule at every entry. */
  async hasTestRule(known: readonly TestHost[], abortSignal?: AbortSignal): Promise<boolean> {
    const each = await this.#ofListeners(known, hasTestRule, abortSignal);
    return each.every((has) => has);
  }

  /** Asks once for the listeners of each load balancer. */
  async #ofListeners<T>(
    known: readonly TestHost[],
    judge: (known: TestHost, listeners: readonly ListenerAndRules[]) => T,
    abortSignal?: AbortSignal,
  ): Promise<T[]> {
    const arns = [...new Set(known.map(({ loadBalancerArn }) => loadBalancerArn))];
    const listeners = new Map(
      await Promise.all(
        arns.map(async (LoadBalancerArn) => {
          return [LoadBalancerArn, await listenersOf(this.#balancing, { LoadBalancerArn }, abortSignal)] as const;
        }),
      ),
    );
    return known.map((each) => judge(each, listeners.get(each.loadBalancerArn) ?? []));
  }

  /** Ids of what may have been created with these inputs; undefined for what can be created twice without harm. */
  findCreated(type: string, inputs: Inputs, abortSignal?: AbortSignal): Promise<readonly string[] | undefined> {
    const { arrays, snapshots } = this;
    const clients = { ec2: this.#ec2, balancing: this.#balancing, dynamodb: this.#dynamodb, arrays, snapshots };
    return findCreated(type, inputs, clients, abortSignal);
  }

  /** Whom AWS takes us for: one call, which needs no permission. */
  async identity(abortSignal?: AbortSignal): Promise<{ readonly account: string; readonly arn: string }> {
    const { Account = "", Arn = "" } = await this.#sts.send(new GetCallerIdentityCommand({}), { abortSignal });
    return { account: Account, arn: Arn };
  }

  /** When the credentials end; undefined where they do not say so, or are renewed. */
  credentialsEnd(): Promise<Date | undefined> {
    return credentialsEnd(this.#access.credentials ?? this.#sts.config.credentials);
  }

  close(): void {
    this.#sts.destroy();
    this.addressMoves.close();
    this.quotas.close();
    this.#ec2.destroy();
    this.#balancing.destroy();
    this.#dynamodb.destroy();
    this.#scaling.destroy();
    this.cloudWatch.close();
    this.snapshots.close();
  }
}
