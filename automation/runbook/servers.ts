import { type HttpCheck, httpCheckOf } from "../../stacks/config/checks.ts";
import { longestDrainSeconds } from "../../stacks/config/entry-schema.ts";
import { entriesOf } from "../../stacks/config.ts";
import {
  type Entry,
  entriesIn,
  type Frontend,
  type Outputs,
  type Targets,
  targetsOf,
  targetsThrough,
} from "../../stacks/outputs.ts";
import { BalancerMetrics } from "../cloud/balancer-metrics.ts";
import { addressesOf } from "../cloud/http.ts";
import { allServers, arrayServersGone, overArray, serversInService } from "../gates/array.ts";
import { type GateContext, generationOf, isOld, ofEntry, sharesIn, wasBad, wasServerBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { identityOf } from "../gates/identity.ts";
import { instancesGone, instancesOk } from "../gates/instances.ts";
import { WeightsEverywhere } from "../gates/propagation.ts";
import { type Place, smoke } from "../gates/smoke.ts";
import { Departures, targetsDrained, targetsHealthy } from "../gates/targets.ts";
import { waysOut } from "../gates/ways-out.ts";
import { balancerPlace, checkId, httpChecks, neverAnswered, pageOf, reading } from "./questions.ts";

/** Gates over a generation's frontends, and over who reaches them. */

/** Status checks, the load balancer's view, and smoke on each server and through the test host name. */
export function serversWork(context: GateContext, name: string): Gate[] {
  return [instancesOk(context.aws, frontendsOf(context, name)), ...serversAnswer(context, name)];
}

/** The same without the status checks, which change slowly. */
export function serversAnswer(context: GateContext, name: string): Gate[] {
  return [
    healthy(context, name),
    ...smokeOnEach(context, name, (entry) => frontendsOf(context, name, entry), healthy(context, name)),
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
    ...smokeOnEach(context, name, () => frontends, standIn),
  ];
}

/** The generation answers for the test host name, by every entry, on every node of the load balancer. */
export function throughTestHost(context: GateContext, name: string): Gate[] {
  const options = { ...reading(context), onEveryNode: true };
  return answering(context, name).map(({ entry, checks }) => {
    const place = balancerPlace(entry, context.after.testHostname, name);
    return smoke(ofEntry("smoke through the test host name", entry.name), [place], checks, options);
  });
}

/** The entries by which a generation is asked, and what. */
function answering(context: GateContext, name: string) {
  return entriesIn(context.after)
    .filter((entry) => !neverAnswered(context, name, entry.name))
    .map((entry) => ({ entry, checks: httpChecks(context, name, entry.name) }));
}

/**
 * No node of the load balancer gives requests of any entry to the generation any more; no gate where there is no other
 * generation, or where that was seen since the shares changed.
 */
export function weightsEverywhere(context: GateContext, without: string, alone: string): Gate[] {
  const { after, settledShares } = context;
  const { [without]: silent, [alone]: other } = after.generations;
  if (silent === undefined || other === undefined || without === alone || settledShares === sharesIn(after)) return [];
  const sides = [
    { name: without, targets: silent },
    { name: alone, targets: other },
  ] as const;
  return entriesIn(after).map((entry) => weightsOf(context, entry, sides));
}

interface WeightedSide {
  readonly name: string;
  readonly targets: Outputs["generations"][string];
}

/** @param sides the generation that must get no request, and the one that gets all */
function weightsOf(context: GateContext, entry: Entry, sides: readonly [WeightedSide, WeightedSide]): Gate {
  const { aws, config, from, after, baseline, forwardAt = 0 } = context;
  const { propagationSeconds, comparison, shiftPercent } = config.upgrade;
  const { protocol, dnsName, port, arn } = entry.listener;
  const [without, alone] = sides.map(({ name }) => name) as [string, string];
  const groups = sides.map(({ targets }) => targetsThrough(targets, entry.name)) as [Targets, Targets];
  // A node may be several changes behind: the smallest share that any of them gave to the generation.
  const shares = shiftPercent.filter((share) => share < 100);
  const staleShare = without === from ? 100 - Math.max(0, ...shares) : Math.min(100, ...shares);
  const identity = identityOf(context);
  const path = pageOf(context, entry.name);
  const serverOf = (name: string, { port }: Targets) => {
    const [first] = frontendsOf(context, name, entry.name);
    return first && ({ protocol: "http", address: first.privateIp, port, host: after.testHostname, path } as const);
  };
  const weights = {
    identity,
    entry: entry.name,
    servers: [serverOf(without, groups[0]), serverOf(alone, groups[1])] as const,
    question: { name: dnsName, protocol, port, host: after.hostname, path },
    without,
    otherIsDown: alone === from && baseline?.down === true,
    targetGroupArns: [groups[0].targetGroupArn, groups[1].targetGroupArn] as const,
    staleShare,
    propagationSeconds,
    notBefore: alone === from ? forwardAt + propagationSeconds * 1000 : 0,
    periodSeconds: comparison.periodSeconds,
  };
  const metrics = new BalancerMetrics(aws.cloudWatch, arn, comparison.periodSeconds);
  return new WeightsEverywhere(weights, { metrics, addressesOf });
}

/**
 * Each server answers on the port of each entry.
 * @param servers those that are asked for an entry; undefined is the first
 * @param standIn what holds instead where no server can be reached from here
 */
export function smokeOnEach(
  context: GateContext,
  name: string,
  servers: (entry: string | undefined) => readonly Frontend[],
  standIn: Gate | undefined,
): Gate[] {
  return targetsOf(generationOf(context.after, name)).map((targets) =>
    smokeOnServers(context, { name, targets, servers: servers(targets.entry), standIn }),
  );
}

/** The same of one entry. */
export function smokeOnServers(context: GateContext, asked: Asked): Gate {
  const { name, servers, standIn } = asked;
  const { entry, port } = asked.targets;
  const places = servers.map((server): Place => {
    const question = { protocol: "http", address: server.privateIp, port, host: context.after.testHostname } as const;
    return { name: server.name, question, generation: name };
  });
  const options = { standIn, ...reading(context) };
  return smoke(ofEntry("smoke on each server", entry), places, httpChecks(context, name, entry), options);
}

interface Asked {
  /** The generation's. */
  readonly name: string;
  readonly targets: Targets;
  readonly servers: readonly Frontend[];
  readonly standIn: Gate | undefined;
}

/** @param generation the one that has all traffic, and must answer */
export function publicSmoke(context: GateContext, generation: string): Gate[] {
  const options = { ...reading(context), onEveryNode: true };
  return answering(context, generation).map(({ entry, checks }) => {
    const place = balancerPlace(entry, context.after.hostname, generation);
    return smoke(ofEntry(throughBalancer, entry.name), [place], checks, options);
  });
}

/**
 * The same while both generations answer for the public name: the new one is judged by its own answers. Where they do not
 * say who gave them, by the checks that the old one is known to pass too.
 */
export function sharedSmoke(context: GateContext): Gate[] {
  const { after, baseline, to } = context;
  return entriesIn(after).map((entry) => {
    const place = balancerPlace(entry, after.hostname);
    const isKnown = (check: HttpCheck) =>
      baseline !== undefined && !wasBad(context, "check", checkId(check, entry.name));
    const counts = (check: HttpCheck, generation: string | undefined) =>
      generation === undefined ? isKnown(check) : generation === to;
    const checks = httpChecks(context, to, entry.name).filter(({ identifies }) => identifies !== true);
    const options = { ...reading(context), onEveryNode: true, counts };
    return smoke(ofEntry(throughBalancer, entry.name), [place], checks, options);
  });
}

const throughBalancer = "smoke through the load balancer";

/** Every server is healthy in the target group of every entry. */
export function healthy(context: GateContext, name: string): Gate {
  const groups = targetsOf(generationOf(context.after, name)).map(({ entry, targetGroupArn }) => {
    return { entry, targetGroupArn, servers: frontendsOf(context, name, entry) };
  });
  return targetsHealthy(context.aws, name, groups);
}

/** Those that must work for an entry: of the old generation, the ones that did before the run. */
function frontendsOf(context: GateContext, name: string, entry?: string): readonly Frontend[] {
  const { frontends } = generationOf(context.after, name);
  if (!isOld(context, name)) return frontends;
  return frontends.filter(({ instanceId }) => !wasServerBad(context, instanceId, entry));
}

/**
 * The servers that serve answer what the load balancer will ask them for an entry that the stack does not have yet. An array
 * replaces servers that are unhealthy in any of its target groups, however well they serve the others.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
 */
export function newEntriesAnswered(context: GateContext): Gate[] {
  const { aws, config, after } = context;
  const { frontends, array } = generationOf(after, after.live);
  return entriesOf(config.site).flatMap(({ name, port: own, healthCheck }) => {
    if (name === undefined || name in (after.entries ?? {})) return [];
    const { path, matcher, port = own } = healthCheck;
    const check = { ...httpCheckOf({ path }), matcher };
    const notJudged = `servers cannot be asked from here on port ${port}, which the load balancer will ask`;
    const standIn: Gate = { name: "none", observe: async () => ({ verdict: "pass", evidence: { notJudged } }) };
    const asked = (servers: readonly Frontend[]) => {
      const places = servers.map((server): Place => {
        const question = { protocol: "http", address: server.privateIp, port, host: after.testHostname } as const;
        return { name: server.name, question };
      });
      return smoke(ofEntry("new entry answered", name), places, [check], { standIn, ...reading(context) });
    };
    return [asked(frontends), ...(array === undefined ? [] : [overArray(serversInService(aws, array), asked)])];
  });
}

/** The load balancer has finished with the frontends, and with the array's servers. */
export function drained({ aws, after, config }: GateContext, name: string): Gate[] {
  const generation = generationOf(after, name);
  const { frontends, array } = generation;
  const patienceSeconds = longestDrainSeconds(config.site) + config.upgrade.gateSeconds;
  const departures = new Departures(aws.absentSeconds);
  const over = (servers: readonly Frontend[]) =>
    targetsDrained(aws, name, targetsOf(generation), servers, patienceSeconds, departures);
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
