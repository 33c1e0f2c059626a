import { isDeepStrictEqual } from "node:util";
import type { Instance } from "@aws-sdk/client-ec2";
import type { Facts } from "./facts.ts";
import { frontendsOf, launchedWith, securityGroupsOf } from "./servers.ts";

/** Why a site cannot be adopted as it is, each with what to do about it; empty when nothing stands against it. */
export function objections(facts: Facts): string[] {
  return [
    ...aboutRouting(facts),
    ...aboutTargetGroup(facts),
    ...aboutTargets(facts),
    ...aboutServers(facts),
    ...aboutAddresses(facts),
  ];
}

/** Whatever else reaches the servers would be left without them when their generation is retired. */
function aboutRouting({ listener, otherWays }: Facts): string[] {
  const { Port } = listener.listener;
  const first = listener.rules.find(({ Priority }) => Priority === "1");
  return [
    ...otherWays.map(
      (way) =>
        `${way}, and Handover shifts only the default action of the listener on port ${Port}. Let everything reach the servers through that one; other listeners can redirect to it.`,
    ),
    ...(first === undefined
      ? []
      : [
          `The listener on port ${Port} has a rule with priority 1, which the rule for the test host name needs. Give that one another: aws elbv2 set-rule-priorities --rule-priorities RuleArn=${first.RuleArn},Priority=…`,
        ]),
  ];
}

function aboutTargetGroup({ targetGroup: group, attributes }: Facts): string[] {
  const name = `Target group ${group.TargetGroupName}`;
  const matches = group.Matcher?.HttpCode;
  const sticky = attributes["stickiness.enabled"] === "true" && attributes["stickiness.type"] !== "lb_cookie";
  return [
    group.Protocol !== "HTTP" &&
      `${name} speaks ${group.Protocol} to the servers; Handover's target groups speak HTTP.`,
    (group.ProtocolVersion ?? "HTTP1") !== "HTTP1" &&
      `${name} speaks ${group.ProtocolVersion} to the servers; Handover's target groups speak HTTP1.`,
    group.HealthCheckProtocol !== "HTTP" &&
      `${name} checks health by ${group.HealthCheckProtocol}; Handover's target groups check by HTTP.`,
    group.HealthCheckPort !== "traffic-port" &&
      group.HealthCheckPort !== String(group.Port) &&
      `${name} checks health on port ${group.HealthCheckPort}; Handover's check on the port of the traffic, ${group.Port}.`,
    matches === undefined && `${name} has no HTTP statuses in its health check; Handover's target groups expect some.`,
    sticky && `${name} is sticky by ${attributes["stickiness.type"]}; Handover's target groups know lb_cookie.`,
  ].filter((problem) => problem !== false);
}

function aboutTargets({ targets, targetGroup }: Facts): string[] {
  const unwell = targets.filter(({ TargetHealth }) => TargetHealth?.State !== "healthy");
  const elsewhere = targets.filter(({ Target }) => Target?.Port !== targetGroup.Port);
  const described = unwell.map(({ Target, TargetHealth }) => `${Target?.Id} is ${TargetHealth?.State}`).join(", ");
  return [
    ...(unwell.length === 0
      ? []
      : [
          `A site is adopted while all of its servers are healthy: ${described}. Wait for those that have just been registered; mend or deregister the others.`,
        ]),
    ...elsewhere.map(
      ({ Target }) =>
        `${Target?.Id} is registered on port ${Target?.Port}, and the target group's is ${targetGroup.Port}; register it on that one.`,
    ),
  ];
}

/** The servers of a generation are all alike. */
function aboutServers(facts: Facts): string[] {
  const [first, ...others] = frontendsOf(facts);
  if (first === undefined) return [];
  const { image, volumes, targetGroup } = facts;
  const facets = (instance: Instance) => ({
    ...launchedWith(instance, volumes),
    securityGroups: securityGroupsOf(instance),
  });
  const like = Object.entries(facets(first));
  const different = others.flatMap((other) => {
    const own: Record<string, unknown> = facets(other);
    return like
      .filter(([key, value]) => !isDeepStrictEqual(value, own[key]))
      .map(
        ([key, value]) =>
          `${key} is ${text(value)} at ${first.InstanceId}, and ${text(own[key])} at ${other.InstanceId}`,
      );
  });
  const grouped = facts.instances.flatMap((instance) => {
    const tag = instance.Tags?.find(({ Key }) => Key === "aws:autoscaling:groupName");
    return tag === undefined ? [] : [`${instance.InstanceId} (${tag.Value})`];
  });
  return [
    ...(different.length === 0
      ? []
      : [
          `The servers behind target group ${targetGroup.TargetGroupName} differ, and those of one generation are alike: ${different.join("; ")}. Deregister or replace the odd ones.`,
        ]),
    ...(grouped.length === 0
      ? []
      : [
          `These servers belong to Auto Scaling groups, and adopt does not know those: ${grouped.join(", ")}. Take them out with: aws autoscaling detach-instances --should-decrement-desired-capacity`,
        ]),
    ...(image === undefined
      ? [
          `Image ${first.ImageId} of the servers is gone, or no longer shared with this account; the program asks for its root device. Make it available again.`,
        ]
      : []),
  ];
}

function aboutAddresses({ addresses, instances }: Facts): string[] {
  return instances.flatMap(({ InstanceId, PrivateIpAddress }) => {
    const held = addresses.filter((address) => address.InstanceId === InstanceId);
    const publicIps = held.map(({ PublicIp }) => PublicIp).join(" and ");
    const secondary = held.filter((address) => address.PrivateIpAddress !== PrivateIpAddress);
    return [
      ...(held.length > 1
        ? [`${InstanceId} holds ${held.length} Elastic IPs (${publicIps}), and a frontend holds one at most.`]
        : []),
      ...secondary.map(
        ({ PublicIp, PrivateIpAddress: other }) =>
          `${PublicIp} is associated with ${other} of ${InstanceId}, and not with its first private address, ${PrivateIpAddress}.`,
      ),
    ];
  });
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}
