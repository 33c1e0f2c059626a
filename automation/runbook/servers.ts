import { type HttpCheck, httpCheckOf } from "../../stacks/config/checks.ts";
import type { Config, SiteConfig } from "../../stacks/config.ts";
import { types } from "../../stacks/names.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import { isPhase } from "../../stacks/runbook.ts";
import { BalancerMetrics } from "../cloud/balancer-metrics.ts";
import { addressesOf } from "../cloud/http.ts";
import { AddressGap } from "../gates/address-gap.ts";
import { addressesHeld } from "../gates/addresses.ts";
import { allServers, arrayServersGone, overArray } from "../gates/array.ts";
import { type GateContext, generationOf, sharesIn, wasBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { identityOf } from "../gates/identity.ts";
import { instancesGone, instancesOk } from "../gates/instances.ts";
import { WeightsEverywhere } from "../gates/propagation.ts";
import { type Place, type SmokeOptions, smoke } from "../gates/smoke.ts";
import { Departures, targetsDrained, targetsHealthy } from "../gates/targets.ts";
import { waysOut } from "../gates/ways-out.ts";
import type { Row } from "./rows.ts";

/** Gates over a generation's frontends, and over who reaches them. */

/** Status checks, the load balancer's view, and smoke on each server and through the test host name. */
export function serversWork(context: GateContext, name: string): Gate[] {
  return [instancesOk(context.aws, frontendsOf(context, name)), ...serversAnswer(context, name)];
}

/** The same without the status checks, which change slowly. */
export function serversAnswer(context: GateContext, name: string): Gate[] {
  return [
    healthy(context, name),
    smokeOnEach(context, name, frontendsOf(context, name), healthy(context, name)),
    ...throughTestHost(context, name),
  ];
}

/** The generation's servers can call the Internet, where the site's need to. */
export function wayOut(context: GateContext, name: string): Gate[] {
  const { egress } = context.config.site.network;
  if (egress === "none") return [];
  return [waysOut(context.aws, frontendsOf(context, name), { isolated: egress === undefined })];
}

/** What was created anew answers; whoever is registered is healthy. */
export function restored(context: GateContext, name: string): Gate[] {
  const { frontends, registered } = generationOf(context.after, name);
  const standIn = registered ? healthy(context, name) : undefined;
  return [
    instancesOk(context.aws, frontends),
    ...(standIn === undefined ? [] : [standIn]),
    smokeOnEach(context, name, frontends, standIn),
  ];
}

/** The generation answers for the test host name, on every node of the load balancer. */
export function throughTestHost(context: GateContext, name: string): Gate[] {
  const { after } = context;
  if (neverAnswered(context, name)) return [];
  const place = balancerPlace(after, after.testHostname, name);
  const options = { ...reading(context), onEveryNode: true };
  return [smoke("smoke through the test host name", [place], httpChecks(context, name), options)];
}

/**
 * No node of the load balancer gives requests to the generation any more; no gate where there is no other generation, or
 * where that was seen since the shares changed.
 */
export function weightsEverywhere(context: GateContext, without: string, alone: string): Gate[] {
  const { aws, config, from, after, baseline, forwardAt = 0, settledShares } = context;
  const { [without]: silent, [alone]: other } = after.generations;
  if (silent === undefined || other === undefined || without === alone || settledShares === sharesIn(after)) return [];
  const { propagationSeconds, comparison, shiftPercent } = config.upgrade;
  const { protocol, dnsName, port, arn } = after.loadBalancer;
  // A node may be several changes behind: the smallest share that any of them gave to the generation.
  const shares = shiftPercent.filter((share) => share < 100);
  const staleShare = without === from ? 100 - Math.max(0, ...shares) : Math.min(100, ...shares);
  const identity = identityOf(context);
  const { path = config.site.loadBalancer.healthCheck.path } = identity;
  const serverOf = (name: string, { port }: typeof silent) => {
    const [first] = frontendsOf(context, name);
    return first && ({ protocol: "http", address: first.privateIp, port, host: after.testHostname, path } as const);
  };
  const weights = {
    identity,
    servers: [serverOf(without, silent), serverOf(alone, other)] as const,
    question: { name: dnsName, protocol, port, host: after.hostname, path },
    without,
    otherIsDown: alone === from && baseline?.down === true,
    targetGroupArns: [silent.targetGroupArn, other.targetGroupArn] as const,
    staleShare,
    propagationSeconds,
    notBefore: alone === from ? forwardAt + propagationSeconds * 1000 : 0,
    periodSeconds: comparison.periodSeconds,
  };
  const metrics = new BalancerMetrics(aws.cloudWatch, arn, comparison.periodSeconds);
  return [new WeightsEverywhere(weights, { metrics, addressesOf })];
}

/** @param standIn what holds instead where no server can be reached from here */
export function smokeOnEach(
  context: GateContext,
  name: string,
  servers: readonly Frontend[],
  standIn: Gate | undefined,
): Gate {
  const { after } = context;
  const { port } = generationOf(after, name);
  const places = servers.map((server): Place => {
    const question = { protocol: "http", address: server.privateIp, port, host: after.testHostname } as const;
    return { name: server.name, question, generation: name };
  });
  return smoke("smoke on each server", places, httpChecks(context, name), { standIn, ...reading(context) });
}

/** @param generation the one that has all traffic, and must answer */
export function publicSmoke(context: GateContext, generation: string): Gate[] {
  const { after } = context;
  if (neverAnswered(context, generation)) return [];
  const place = balancerPlace(after, after.hostname, generation);
  const options = { ...reading(context), onEveryNode: true };
  return [smoke(throughBalancer, [place], httpChecks(context, generation), options)];
}

/**
 * The same while both generations answer for the public name: the new one is judged by its own answers. Where they do not
 * say who gave them, by the checks that the old one is known to pass too.
 */
export function sharedSmoke(context: GateContext): Gate {
  const { after, baseline, to } = context;
  const place = balancerPlace(after, after.hostname);
  const counts = (check: HttpCheck, generation: string | undefined) =>
    generation === undefined ? baseline !== undefined && !wasBad(context, "check", checkId(check)) : generation === to;
  const checks = httpChecks(context, to).filter(({ identifies }) => identifies !== true);
  return smoke(throughBalancer, [place], checks, { ...reading(context), onEveryNode: true, counts });
}

const throughBalancer = "smoke through the load balancer";

/** Names a check in the baseline, without the values of its headers. */
export function checkId({ path, method, expectStatus, expectBody, expectJson, matcher }: HttpCheck): string {
  return JSON.stringify({ path, method, expectStatus, expectBody, expectJson, matcher });
}

/** The users of the Elastic IPs, as the driver can be one, while an update moves some; undefined where it moves none. */
export function addressUsers(
  row: Row,
  context: GateContext,
  operations: readonly { readonly type: string }[],
): AddressGap | undefined {
  if (!operations.some(({ type }) => type === types.eipAssociation)) return undefined;
  const { config, after } = context;
  const { port } = generationOf(after, after.live);
  const identity = identityOf(context);
  const { path = config.site.loadBalancer.healthCheck.path } = identity;
  const asked = after.addresses
    .filter(({ allocationId }) => !wasBad(context, "address", allocationId))
    .map(({ publicIp }) => {
      const place = { protocol: "http", address: publicIp, port, host: after.hostname, path } as const;
      // In a quiet move a connection may take as long as until its SYN is sent a third time.
      return { publicIp, question: { ...place, timeoutSeconds: 10 } };
    });
  const { maxGapMilliseconds, ...rules } = config.upgrade.addresses;
  // A way back has to end, whatever they meet.
  const limits = { ...rules, ...(isPhase(row) && { maxGapMilliseconds }) };
  return asked.length === 0 ? undefined : new AddressGap(asked, limits, identity);
}

/** Every address that has moved works; where answers do not say who gave them, that is told. */
export function addressesMoved(context: GateContext, name: string): Gate[] {
  const unsigned =
    "answers do not say which generation gave them (handover:upgrade.identify); AWS shows each address on its server";
  return addressesWork(context, name, { unsigned });
}

/** Every address that the generation holds is on its server, and is answered from there. */
export function addressesWork(
  context: GateContext,
  name: string,
  options: Pick<SmokeOptions, "unsigned"> = {},
): Gate[] {
  const { aws, after } = context;
  const { frontends, port } = generationOf(after, name);
  const held = after.addresses
    .filter(({ instanceId }) => frontends.some((frontend) => frontend.instanceId === instanceId))
    .filter(({ allocationId }) => !isOld(context, name) || !wasBad(context, "address", allocationId));
  if (held.length === 0) return [];
  const places = held.map(({ publicIp }): Place => {
    const question = { protocol: "http", address: publicIp, port, host: after.hostname } as const;
    return { name: publicIp, question, generation: name };
  });
  return [
    addressesHeld(aws, held),
    smoke("smoke through the addresses", places, httpChecks(context, name), { ...reading(context), ...options }),
  ];
}

export function healthy(context: GateContext, name: string): Gate {
  const { targetGroupArn } = generationOf(context.after, name);
  return targetsHealthy(context.aws, name, targetGroupArn, frontendsOf(context, name));
}

/** Those that must work: of the old generation, the ones that did before the run. */
function frontendsOf(context: GateContext, name: string): readonly Frontend[] {
  const { frontends } = generationOf(context.after, name);
  if (!isOld(context, name)) return frontends;
  return frontends.filter(({ instanceId }) => !wasBad(context, "server", instanceId));
}

function isOld({ from, to }: GateContext, name: string): boolean {
  return name === from && from !== to;
}

/** The load balancer has finished with the frontends, and with the array's servers. */
export function drained({ aws, after, config }: GateContext, name: string): Gate[] {
  const { targetGroupArn, frontends, array } = generationOf(after, name);
  const patienceSeconds = config.site.loadBalancer.deregistrationDelaySeconds + config.upgrade.gateSeconds;
  const departures = new Departures(aws.absentSeconds);
  const over = (servers: readonly Frontend[]) =>
    targetsDrained(aws, name, targetGroupArn, servers, patienceSeconds, departures);
  return [over(frontends), ...(array === undefined ? [] : [overArray(allServers(aws, array), over)])];
}

/** The servers that the update removed are terminated. */
export function gone({ aws, before, after }: GateContext): Gate[] {
  const serversOf = (outputs: Outputs) => Object.values(outputs.generations).flatMap(({ frontends }) => frontends);
  const arraysOf = (outputs: Outputs) => Object.values(outputs.generations).flatMap(({ array = [] }) => array);
  if (before === undefined) return [];
  const left = new Set([
    ...serversOf(after).map((server) => server.instanceId),
    ...arraysOf(after).map(({ name }) => name),
  ]);
  const frontends = serversOf(before).filter(({ instanceId }) => !left.has(instanceId));
  const arrays = arraysOf(before).flatMap(({ name }) => (left.has(name) ? [] : [name]));
  return [
    ...(frontends.length === 0 ? [] : [instancesGone(aws, frontends)]),
    ...(arrays.length === 0 ? [] : [arrayServersGone(aws, arrays)]),
  ];
}

/** Whether the old generation did not even pass the health check through the load balancer before the run. */
function neverAnswered(context: GateContext, name: string): boolean {
  const health = healthCheckOf(context.config.site.loadBalancer);
  return isOld(context, name) && wasBad(context, "check", checkId(health));
}

/**
 * The checks that a generation must pass: the configuration's, or the health check's path where there are none. Of the old
 * one only that is asked: the others may be as new as the new generation.
 */
function httpChecks(context: GateContext, name: string): readonly HttpCheck[] {
  const { config } = context;
  const health = healthCheckOf(config.site.loadBalancer);
  if (isOld(context, name)) return [health];
  const checks = httpChecksOf(config);
  const { path } = identityOf(context);
  return [
    ...(checks.length > 0 ? checks : [health]),
    ...(path === undefined ? [] : [{ ...httpCheckOf({ path }), matcher: "200-399", identifies: true }]),
  ];
}

/** How answers are read. */
function reading(context: GateContext) {
  return { redact: context.redact, identity: identityOf(context) };
}

/** The HTTP checks among the configuration's. */
export function httpChecksOf({ upgrade }: Pick<Config, "upgrade">): readonly HttpCheck[] {
  return (upgrade.smoke ?? []).filter((check) => "path" in check);
}

/** The load balancer's own check, and the answers that it takes for healthy. */
export function healthCheckOf({ healthCheck: { path, matcher } }: SiteConfig["loadBalancer"]): HttpCheck {
  return { ...httpCheckOf({ path }), matcher };
}

export function balancerPlace({ loadBalancer }: Outputs, host: string, generation?: string): Place {
  const { protocol, dnsName, port } = loadBalancer;
  return { name: host, question: { protocol, address: dnsName, port, host }, generation };
}
