import type { Listener, LoadBalancer, Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import { overlap } from "../../stacks/config/hosts.ts";
import { type Known, type KnownEntry, type ListenerAndRules, type Routing, reached } from "./routing.ts";

/** Everything that reaches the servers and that Handover does not shift, by name. */
export function waysIn(known: Known, routing: Routing): string[] {
  return [
    ...routesTo(known, routing),
    ...groupsWith(known, routing),
    ...strangersIn(known, routing),
    ...classicWith(known, routing),
    ...scalingOf(known, routing),
    ...addressesOn(known, routing),
  ];
}

/** Listeners and rules that forward to the generation's target groups, but for a listener's own default and the test host name's rule. */
function routesTo(known: Known, { balancers }: Routing): string[] {
  return known.entries.flatMap(({ targetGroupArn: arn, loadBalancerArn, listenerPort }) =>
    balancers.flatMap(({ balancer, listeners }) => {
      const isOwn = ({ Port }: Listener) => balancer.LoadBalancerArn === loadBalancerArn && Port === listenerPort;
      return listeners.flatMap(({ listener, rules }) => [
        ...(isOwn(listener) || !forwardsTo(listener.DefaultActions, arn)
          ? []
          : [`${listenerName(listener, balancer)} forwards to the target group of ${known.generation}`]),
        ...rules
          .filter((rule) => forwardsTo(rule.Actions, arn))
          .filter((rule) => !isOwn(listener) || !isTestRule(rule, known))
          .map((rule) => `${ruleName(rule, listener, balancer)} forwards to the target group of ${known.generation}`),
      ]);
    }),
  );
}

/** Other target groups that have its servers, by instance id or by address. */
function groupsWith(known: Known, { groups, balancers, furtherAddresses }: Routing): string[] {
  const own = arnsOf(known);
  return groups.flatMap((each) => {
    const { TargetGroupArn: arn = "", TargetGroupName, LoadBalancerArns = [] } = each.group;
    const ids = own.has(arn) ? [] : reached(each, known, furtherAddresses);
    if (ids.length === 0) return [];
    const routes = balancers.flatMap(({ balancer, listeners }) =>
      listeners.flatMap(({ listener, rules }) => [
        ...(forwardsTo(listener.DefaultActions, arn) ? [listenerName(listener, balancer)] : []),
        ...rules.filter((rule) => forwardsTo(rule.Actions, arn)).map((rule) => ruleName(rule, listener, balancer)),
      ]),
    );
    const by = routes.length > 0 ? routes : LoadBalancerArns.map((name) => `load balancer ${name}`);
    return [`target group ${TargetGroupName} has ${ids.join(", ")}, and gets requests from ${by.join(" and ")}`];
  });
}

function arnsOf({ entries }: Known): ReadonlySet<string> {
  return new Set(entries.map(({ targetGroupArn }) => targetGroupArn));
}

/** Targets of its own groups that are no servers of the generation: they would be left without requests. */
function strangersIn({ generation, servers, entries, array }: Known, { groups, scalingGroups }: Routing): string[] {
  const ofArray = scalingGroups.find(({ AutoScalingGroupName }) => AutoScalingGroupName === array)?.Instances ?? [];
  const ids = new Set([...servers.map(({ instanceId }) => instanceId), ...ofArray.map(({ InstanceId }) => InstanceId)]);
  // Those that leave are not named again, and what was terminated is not in use.
  const leaving = ["draining", "unused"];
  return entries.flatMap(({ targetGroupArn, port }) => {
    const own = groups.find(({ group }) => group.TargetGroupArn === targetGroupArn);
    const strangers = (own?.targets ?? []).filter(
      ({ Target, TargetHealth }) =>
        !leaving.includes(TargetHealth?.State ?? "") && (!ids.has(Target?.Id ?? "") || Target?.Port !== port),
    );
    return strangers.map(
      ({ Target }) =>
        `${Target?.Id} on port ${Target?.Port} is registered in the target group of ${generation} by hand`,
    );
  });
}

function classicWith({ servers }: Known, { classic }: Routing): string[] {
  const ids = new Set(servers.map(({ instanceId }) => instanceId));
  return classic.flatMap(({ name, instanceIds }) => {
    const has = instanceIds.filter((id) => ids.has(id));
    return has.length === 0 ? [] : [`Classic Load Balancer ${name} has ${has.join(", ")}`];
  });
}

/** Groups that would launch a server again when it ends, or that register servers of their own in its target group. */
function scalingOf(known: Known, { grouped, scalingGroups }: Routing): string[] {
  const { generation, array } = known;
  const own = arnsOf(known);
  const others = grouped.filter(({ AutoScalingGroupName }) => AutoScalingGroupName !== array);
  return [
    ...others.map(
      ({ AutoScalingGroupName, InstanceId }) => `Auto Scaling group ${AutoScalingGroupName} has ${InstanceId}`,
    ),
    ...scalingGroups.flatMap(({ AutoScalingGroupName, TargetGroupARNs = [], TrafficSources = [] }) => {
      const arns = [...TargetGroupARNs, ...TrafficSources.map(({ Identifier }) => Identifier)];
      if (AutoScalingGroupName === array || !arns.some((arn) => own.has(arn ?? ""))) return [];
      return [`Auto Scaling group ${AutoScalingGroupName} registers its servers in the target group of ${generation}`];
    }),
  ];
}

function addressesOn(known: Known, { addresses }: Routing): string[] {
  return addresses
    .filter(({ AllocationId = "" }) => !known.addresses.includes(AllocationId))
    .map(({ PublicIp, InstanceId }) => `Elastic IP ${PublicIp} is on ${InstanceId}`);
}

/** The part of what is known that is about the test host name at one entry. */
export interface TestHost extends Pick<KnownEntry, "loadBalancerArn" | "listenerPort">, Pick<Known, "testHostname"> {
  /** Of every generation that there is. */
  readonly targetGroupArns: readonly string[];
}

/** Why the test host name might reach others than the generation that is tested, or other names that one. */
export function testHostProblems(known: TestHost, listeners: readonly ListenerAndRules[]): string[] {
  const own = listeners.find(({ listener }) => listener.Port === known.listenerPort);
  if (own === undefined) return [`the load balancer has no listener on port ${known.listenerPort}`];
  const rules = own.rules.toSorted((a, b) => Number(a.Priority) - Number(b.Priority));
  const place = rules.findIndex(
    (rule) => isTestRule(rule, known) && known.targetGroupArns.some((arn) => forwardsTo(rule.Actions, arn)),
  );
  const catching = (place < 0 ? rules : rules.slice(0, place)).filter((rule) => catches(rule, known.testHostname));
  const names = catching.map(({ Priority }) => `rule ${Priority} of the listener on port ${known.listenerPort}`);
  return [
    ...names.map(
      (name) => `${name} comes before the test host name's own rule, and takes requests for ${known.testHostname}`,
    ),
    ...(place < 0 ? [`the listener on port ${known.listenerPort} has no rule for just ${known.testHostname}`] : []),
  ];
}

/** Whether the load balancer's own listener has a rule for just the test host name, wherever that leads. */
export function hasTestRule(known: TestHost, listeners: readonly ListenerAndRules[]): boolean {
  const own = listeners.find(({ listener }) => listener.Port === known.listenerPort);
  return own?.rules.some((rule) => isTestRule(rule, known)) ?? false;
}

/** Whether a rule may take requests for a host name, whatever else it asks for. */
function catches({ Conditions = [] }: Rule, hostname: string): boolean {
  return Conditions.every(({ Field, HostHeaderConfig, Values = [] }) => {
    if (Field !== "host-header") return true;
    // Patterns of another kind, which are not compared here.
    if (HostHeaderConfig?.RegexValues !== undefined && HostHeaderConfig.RegexValues.length > 0) return true;
    return (HostHeaderConfig?.Values ?? Values).some((pattern) => overlap(pattern, hostname));
  });
}

/** The rule by which the test host name reaches a generation: that name, and nothing else. */
export function isTestRule({ Conditions = [] }: Rule, { testHostname }: Pick<Known, "testHostname">): boolean {
  const [condition, ...others] = Conditions;
  const values = condition?.HostHeaderConfig?.Values ?? condition?.Values ?? [];
  return others.length === 0 && condition?.Field === "host-header" && values.length === 1 && values[0] === testHostname;
}

function forwardsTo(actions: Rule["Actions"] = [], arn: string): boolean {
  return actions.some(
    ({ TargetGroupArn, ForwardConfig }) =>
      TargetGroupArn === arn || ForwardConfig?.TargetGroups?.some((group) => group.TargetGroupArn === arn),
  );
}

function listenerName({ Port }: Listener, { LoadBalancerName }: LoadBalancer): string {
  return `the listener on port ${Port} of load balancer ${LoadBalancerName}`;
}

function ruleName({ Priority }: Rule, listener: Listener, balancer: LoadBalancer): string {
  return `rule ${Priority} of ${listenerName(listener, balancer)}`;
}
