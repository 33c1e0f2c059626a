import {
  CreateTargetGroupCommand,
  DeleteTargetGroupCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, map, number, object, set, string } from "../fields.ts";
import { prefixOf } from "../names.ts";
import { type Creation, type InputsOf, resource } from "../resource.ts";
import { sameTags } from "../tags.ts";
import { insist } from "../wait.ts";
import { attributeList, attributeMap, balancingTags, describeTags, updateBalancingTags } from "./balancing.ts";

type Inputs = InputsOf<aws.lb.TargetGroupArgs>;
const notFound = ["TargetGroupNotFound", "TargetGroupNotFoundException"];
const computed = { computed: true };

/** Settings of other load balancers: the official plugin finds one that is empty, and takes no empty one. */
const ofOtherKinds = [{} as never];

export const targetGroup = resource<aws.lb.TargetGroup, aws.lb.TargetGroupArgs>({
  token: "aws:lb/targetGroup:TargetGroup",
  fields: {
    deregistrationDelay: number({ default: 300 }),
    healthCheck: object<aws.types.input.lb.TargetGroupHealthCheck>(
      {
        enabled: boolean({ default: true }),
        healthyThreshold: number({ default: 3 }),
        interval: number({ default: 30 }),
        matcher: string(computed),
        path: string(computed),
        port: string({ default: "traffic-port" }),
        protocol: string({ default: "HTTP" }),
        timeout: number(computed),
        unhealthyThreshold: number({ default: 3 }),
      },
      computed,
    ),
    ipAddressType: string({ computed: true, replace: true }),
    loadBalancingAlgorithmType: string(computed),
    loadBalancingAnomalyMitigation: string(computed),
    loadBalancingCrossZoneEnabled: string(computed),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    port: number({ required: true, replace: true }),
    protocol: string({ required: true, replace: true }),
    protocolVersion: string({ computed: true, replace: true }),
    slowStart: number({ default: 0 }),
    stickiness: object<aws.types.input.lb.TargetGroupStickiness>(
      {
        cookieDuration: number({ default: 86400 }),
        cookieName: string(),
        enabled: boolean({ default: true }),
        type: string({ required: true }),
      },
      computed,
    ),
    tags: map(),
    targetFailovers: set(
      object<aws.types.input.lb.TargetGroupTargetFailover>({
        onDeregistration: string({ required: true }),
        onUnhealthy: string({ required: true }),
      }),
      computed,
    ),
    targetHealthStates: set(
      object<aws.types.input.lb.TargetGroupTargetHealthState>({
        enableUnhealthyConnectionTermination: boolean({ required: true }),
        unhealthyDrainingInterval: number(),
      }),
      computed,
    ),
    targetType: string({ default: "instance", replace: true }),
    vpcId: string({ required: true, replace: true }),
  },
  computed: { arn: true, arnSuffix: true, loadBalancerArns: true },
  autoname: { property: "name", maxLength: 32 },

  async create(inputs, creation) {
    const { cloud, created } = creation;
    const command = new CreateTargetGroupCommand({
      IpAddressType: inputs.ipAddressType as "ipv4" | undefined,
      Name: inputs.name,
      Port: inputs.port,
      Protocol: inputs.protocol as "HTTP",
      ProtocolVersion: inputs.protocolVersion,
      TargetType: inputs.targetType as "instance",
      VpcId: inputs.vpcId,
      ...healthCheck(inputs),
      Tags: balancingTags(inputs.tags),
    });
    const arn = await cloud.loadBalancing.send(command).then(
      ({ TargetGroups }) => TargetGroups?.[0]?.TargetGroupArn ?? "",
      (error: unknown) => adopt(inputs, creation, error),
    );
    created(arn);
    await setAttributes(cloud, arn, inputs);
    return arn;
  },

  async read({ id, cloud }) {
    const call = cloud.loadBalancing.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [id] }));
    const found = (await unless(notFound, call))?.TargetGroups?.[0];
    if (found === undefined) return undefined;
    const [tags, answer] = await Promise.all([
      describeTags(cloud, id),
      cloud.loadBalancing.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: id })),
    ]);
    const attributes = attributeMap(answer.Attributes);
    return {
      arn: id,
      arnSuffix: id.split(":").at(-1) ?? "",
      connectionTermination: false,
      deregistrationDelay: Number(attributes["deregistration_delay.timeout_seconds"] ?? 300),
      healthCheck: {
        enabled: found.HealthCheckEnabled ?? true,
        healthyThreshold: found.HealthyThresholdCount,
        interval: found.HealthCheckIntervalSeconds,
        matcher: found.Matcher?.HttpCode ?? "",
        path: found.HealthCheckPath ?? "",
        port: found.HealthCheckPort,
        protocol: found.HealthCheckProtocol,
        timeout: found.HealthCheckTimeoutSeconds ?? 0,
        unhealthyThreshold: found.UnhealthyThresholdCount,
      },
      ipAddressType: found.IpAddressType ?? "ipv4",
      loadBalancerArns: found.LoadBalancerArns ?? [],
      loadBalancingAlgorithmType: attributes["load_balancing.algorithm.type"] ?? "round_robin",
      loadBalancingAnomalyMitigation: attributes["load_balancing.algorithm.anomaly_mitigation"] ?? "off",
      loadBalancingCrossZoneEnabled:
        attributes["load_balancing.cross_zone.enabled"] ?? "use_load_balancer_configuration",
      name: found.TargetGroupName ?? "",
      namePrefix: prefixOf(found.TargetGroupName),
      port: found.Port,
      preserveClientIp: "",
      protocol: found.Protocol,
      protocolVersion: found.ProtocolVersion ?? "HTTP1",
      slowStart: Number(attributes["slow_start.duration_seconds"] ?? 0),
      stickiness: {
        cookieDuration: Number(attributes["stickiness.lb_cookie.duration_seconds"] ?? 86400),
        cookieName: attributes["stickiness.app_cookie.cookie_name"] ?? "",
        enabled: attributes["stickiness.enabled"] === "true",
        type: attributes["stickiness.type"] ?? "lb_cookie",
      },
      tags,
      targetFailovers: ofOtherKinds,
      targetGroupHealth: {},
      targetHealthStates: ofOtherKinds,
      targetType: found.TargetType ?? "instance",
      vpcId: found.VpcId,
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("healthCheck")) {
      await cloud.loadBalancing.send(new ModifyTargetGroupCommand({ TargetGroupArn: id, ...healthCheck(news) }));
    }
    await setAttributes(cloud, id, news, olds);
    await updateBalancingTags(cloud, id, olds.tags, news.tags);
  },

  /** A listener that was just deleted may still hold it. */
  async delete({ id, cloud, signal, timeoutSeconds = 120 }) {
    const command = new DeleteTargetGroupCommand({ TargetGroupArn: id });
    const gone = () => unless(notFound, cloud.loadBalancing.send(command));
    await insist(["ResourceInUse", "ResourceInUseException"], gone, { timeoutSeconds, signal });
  },
});

/**
 * A target group of the same name with the same tags that the state does not hold was left behind by a crash, unless
 * what cannot be changed differs. Only fixed names are the same when the program runs again.
 */
async function adopt(inputs: Inputs, { cloud, isHeld }: Creation, duplicate: unknown): Promise<string> {
  const isDuplicate = ["DuplicateTargetGroupName", "DuplicateTargetGroupNameException"].includes(
    codeOf(duplicate) ?? "",
  );
  if (!isDuplicate || isHeld || inputs.name === undefined) throw duplicate;
  const { TargetGroups } = await cloud.loadBalancing.send(new DescribeTargetGroupsCommand({ Names: [inputs.name] }));
  const { TargetGroupArn: arn, Port, Protocol, ProtocolVersion, TargetType, VpcId } = TargetGroups?.[0] ?? {};
  const isSame =
    Port === inputs.port &&
    Protocol === inputs.protocol &&
    VpcId === inputs.vpcId &&
    TargetType === inputs.targetType &&
    (inputs.protocolVersion === undefined || ProtocolVersion === inputs.protocolVersion);
  if (arn === undefined || !isSame || !sameTags(await describeTags(cloud, arn), inputs.tags)) throw duplicate;
  // Nobody knows which attributes it has by now.
  await setAttributes(cloud, arn, inputs, {} as Inputs);
  if (inputs.healthCheck !== undefined) {
    await cloud.loadBalancing.send(new ModifyTargetGroupCommand({ TargetGroupArn: arn, ...healthCheck(inputs) }));
  }
  return arn;
}

function healthCheck({ healthCheck: check }: Inputs) {
  if (check === undefined) return {};
  return {
    HealthCheckEnabled: check.enabled,
    HealthCheckIntervalSeconds: check.interval,
    HealthCheckPath: check.path,
    HealthCheckPort: check.port,
    HealthCheckProtocol: check.protocol as "HTTP",
    HealthCheckTimeoutSeconds: check.timeout,
    HealthyThresholdCount: check.healthyThreshold,
    UnhealthyThresholdCount: check.unhealthyThreshold,
    ...(check.matcher !== undefined && { Matcher: { HttpCode: check.matcher } }),
  };
}

async function setAttributes(cloud: Cloud, TargetGroupArn: string, news: Inputs, olds?: Inputs): Promise<void> {
  const before = olds === undefined ? { deregistrationDelay: 300, slowStart: 0 } : olds;
  const { stickiness } = news;
  const isNew = JSON.stringify(stickiness) !== JSON.stringify(olds?.stickiness);
  const changed = <K extends keyof Inputs>(key: K) => (news[key] === before[key] ? undefined : news[key]);
  const Attributes = attributeList({
    "deregistration_delay.timeout_seconds": changed("deregistrationDelay") as number | undefined,
    "load_balancing.algorithm.type": changed("loadBalancingAlgorithmType") as string | undefined,
    "load_balancing.algorithm.anomaly_mitigation": changed("loadBalancingAnomalyMitigation") as string | undefined,
    "load_balancing.cross_zone.enabled": changed("loadBalancingCrossZoneEnabled") as string | undefined,
    "slow_start.duration_seconds": changed("slowStart") as number | undefined,
    ...(stickiness !== undefined &&
      isNew && {
        "stickiness.enabled": stickiness.enabled,
        "stickiness.type": stickiness.type,
        ...(stickiness.type === "app_cookie"
          ? {
              "stickiness.app_cookie.cookie_name": stickiness.cookieName,
              "stickiness.app_cookie.duration_seconds": stickiness.cookieDuration,
            }
          : { "stickiness.lb_cookie.duration_seconds": stickiness.cookieDuration }),
      }),
  });
  if (Attributes.length === 0) return;
  await cloud.loadBalancing.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
}
