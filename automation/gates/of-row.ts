import type { Config } from "../../stacks/config.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import type { Row } from "../../stacks/runbook.ts";
import { allThatScales } from "../../stacks/scaling-processes.ts";
import type { Aws } from "../aws.ts";
import type { SystemsManager } from "../systems-manager.ts";
import { addressesHeld } from "./addresses.ts";
import { arrayInService, arrayServersGone, arrayServes, overArray, processesSuspended } from "./array.ts";
import type { Gate } from "./gate.ts";
import { instancesGone, instancesOk } from "./instances.ts";
import { sessionsEnded, sessionsEndedOnAll } from "./sessions.ts";
import { type Place, smoke } from "./smoke.ts";
import { snapshotCompleted } from "./snapshot.ts";
import { httpChecks, suites } from "./suites.ts";
import { targetsDrained, targetsHealthy } from "./targets.ts";
import { watched } from "./watched.ts";

/** What a row's gates look at. */
export interface Scene {
  readonly aws: Aws;
  readonly manager: SystemsManager;
  readonly config: Config;
  readonly stack: string;
  /** The run's id. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The stack's outputs before and after the row's update. */
  readonly before: Outputs | undefined;
  readonly after: Outputs;
  /** Takes secrets out of what is quoted as evidence. */
  readonly redact: (text: string) => string;
}

export interface RowGates {
  /** Must pass once. */
  readonly hold: readonly Gate[];
  /** Must then keep passing for a time. */
  readonly watch?: { readonly gates: readonly Gate[]; readonly seconds: number };
}

/** Going back from `drain`: the stack of `observe` again, in which the old servers are registered. */
export const readmit = "readmit";

/** Rows of the runbook, the way back, and the update that leaves one generation alone. */
export type GatedRow = Row | typeof readmit | "settle";

/** What must hold before the run goes on from a row. */
export function gatesOf(row: GatedRow, scene: Scene): RowGates {
  const { config, after, to } = scene;
  switch (row) {
    case "backup":
      return { hold: after.snapshot === null ? [] : [snapshotTaken(scene, after.snapshot)] };
    case "launch-first":
    case "launch-rest":
      return {
        hold: [...serversWork(scene, to), ...suites(row, scene, to, healthy(scene, to))],
        ...(isComplete(scene, to) && { watch: stable(scene, to) }),
      };
    case "connect": {
      const gates = [healthy(scene, to), publicSmoke(scene)];
      return { hold: gates, watch: { gates: [...gates, ...watched(scene)], seconds: config.upgrade.stepSeconds } };
    }
    case "move-addresses":
      return { hold: [...addressesWork(scene, to), ...suites(row, scene, to, healthy(scene, to))] };
    case "observe": {
      const gates = [
        healthy(scene, to),
        publicSmoke(scene, to),
        ...addressesWork(scene, to),
        ...arrayGates(scene, to, arrayServes),
      ];
      // A client that is still stuck to the old generation would be refused once that has no servers.
      const seconds = Math.max(config.upgrade.bakeSeconds, config.site.loadBalancer.stickinessSeconds);
      return {
        hold: [...gates, ...suites(row, scene, to, healthy(scene, to))],
        watch: { gates: [...gates, ...watched(scene)], seconds },
      };
    }
    case "drain":
      return { hold: drained(scene, scene.from) };
    case "retire":
      return { hold: gone(scene) };
    case readmit:
      return { hold: [healthy(scene, scene.from), ...arrayGates(scene, scene.from, arrayServes)] };
    case "withdraw":
      return {
        hold: [
          publicSmoke(scene),
          ...addressesWork(scene, scene.from),
          ...drained(scene, to),
          ...arrayGates(scene, scene.from, arrayServes),
        ],
      };
    case "settle":
      return {
        hold: [
          ...serversWork(scene, after.live),
          ...arrayGates(scene, after.live, scene.from === to ? arrayInService : arrayServes),
          publicSmoke(scene, after.live),
          ...addressesWork(scene, after.live),
          ...gone(scene),
        ],
      };
    case "suspend-array":
      return { hold: [...arraySuspended(scene, scene.from), ...arrayWorks(scene, to)] };
    case "resume-array":
      return { hold: [...arrayResumed(scene, to), ...arrayGates(scene, to, arrayServes)] };
    case "migrate":
      return { hold: [] };
  }
}

/**
 * What must hold right before a row is applied: new servers take over, and old ones leave, only while every new one
 * serves. The gates of the row before have passed, but that may be days ago when a run was paused.
 */
export function gatesBefore(row: GatedRow, scene: Scene): RowGates {
  switch (row) {
    case "connect":
    case "move-addresses":
      return { hold: [healthy(scene, scene.to)] };
    case "observe":
    case "drain":
    case "retire":
      return { hold: [healthy(scene, scene.to), ...arrayGates(scene, scene.to, arrayServes)] };
    default:
      return { hold: [] };
  }
}

function snapshotTaken({ aws, config, stack, id }: Scene, snapshot: NonNullable<Outputs["snapshot"]>): Gate {
  return snapshotCompleted(aws.snapshots, snapshot, { stack, run: id, database: config.site.database });
}

/** Status checks, the load balancer's view, and smoke on each server and through the test host name. */
function serversWork(scene: Scene, name: string): Gate[] {
  return [instancesOk(scene.aws, generationOf(scene.after, name).frontends), ...serversAnswer(scene, name)];
}

function serversAnswer(scene: Scene, name: string): Gate[] {
  const { after, redact } = scene;
  const throughTestHost = balancerPlace(after, after.testHostname, name);
  return [
    healthy(scene, name),
    smokeOnEach(scene, name, generationOf(after, name).frontends, healthy(scene, name)),
    smoke("smoke through the test host name", [throughTestHost], httpChecks(scene), { redact }),
  ];
}

/** Servers that die soon after their start do so before they get traffic. */
function stable(scene: Scene, name: string): RowGates["watch"] {
  return { gates: serversAnswer(scene, name), seconds: scene.config.upgrade.stableSeconds };
}

function isComplete({ config, after }: Scene, name: string): boolean {
  return generationOf(after, name).frontends.length === config.generations[name]?.frontends;
}

function smokeOnEach(scene: Scene, name: string, servers: readonly Frontend[], standIn: Gate | undefined): Gate {
  const { redact } = scene;
  return smoke("smoke on each server", places(scene, name, servers), httpChecks(scene), { standIn, redact });
}

function places({ after }: Scene, name: string, servers: readonly Frontend[]): Place[] {
  const { port } = generationOf(after, name);
  return servers.map((server) => ({
    name: server.name,
    question: { protocol: "http", address: server.privateIp, port, host: after.testHostname },
    generation: name,
  }));
}

function publicSmoke(scene: Scene, generation?: string): Gate {
  return smoke(
    "smoke through the load balancer",
    [balancerPlace(scene.after, scene.after.hostname, generation)],
    httpChecks(scene),
    { redact: scene.redact },
  );
}

/** Every address that the generation holds is on its server, and is answered from there. */
function addressesWork(scene: Scene, name: string): Gate[] {
  const { aws, after } = scene;
  const { frontends, port } = generationOf(after, name);
  const held = after.addresses.filter(({ instanceId }) =>
    frontends.some((frontend) => frontend.instanceId === instanceId),
  );
  if (held.length === 0) return [];
  const places = held.map(({ publicIp }): Place => {
    return {
      name: publicIp,
      question: { protocol: "http", address: publicIp, port, host: after.hostname },
      generation: name,
    };
  });
  return [
    addressesHeld(aws, held),
    smoke("smoke through the addresses", places, httpChecks(scene), { redact: scene.redact }),
  ];
}

function healthy({ aws, after }: Scene, name: string): Gate {
  const { targetGroupArn, frontends } = generationOf(after, name);
  return targetsHealthy(aws, name, targetGroupArn, frontends);
}

function drained(scene: Scene, name: string): Gate[] {
  const { aws, after, config } = scene;
  const { targetGroupArn } = generationOf(after, name);
  const patienceSeconds = config.site.loadBalancer.deregistrationDelaySeconds + config.upgrade.gateSeconds;
  const over = (servers: readonly Frontend[]) => targetsDrained(aws, name, targetGroupArn, servers, patienceSeconds);
  return ofEveryServer(scene, name, over);
}

/** One gate for each old server that is left, and one for its array, so that a long session holds its own server only. */
export function sessionGates({ aws, config, after, from }: Scene): Map<string, Gate> {
  const generation = after.generations[from];
  const { sessions } = config.upgrade;
  if (sessions === undefined || generation === undefined) return new Map();
  const { frontends, array, port } = generation;
  const gateOf = (server: Frontend) => sessionsEnded(aws, sessions, server, { hostname: after.hostname, port });
  const gates = new Map(frontends.map((frontend) => [frontend.name, gateOf(frontend)]));
  if (array === undefined) return gates;
  const servers = (signal: AbortSignal) => aws.arrays.servers([array.name], signal);
  return gates.set(`${from} array`, sessionsEndedOnAll(`${from} array`, sessions, servers, gateOf));
}

/** A gate over the generation's frontends, and the same over its array's servers. */
function ofEveryServer({ aws, after }: Scene, name: string, gateOver: (servers: readonly Frontend[]) => Gate): Gate[] {
  const { frontends, array } = generationOf(after, name);
  return [gateOver(frontends), ...(array === undefined ? [] : [overArray(aws, array, gateOver)])];
}

function arrayGates({ aws, after }: Scene, name: string, gate: typeof arrayInService): Gate[] {
  const { array, targetGroupArn } = generationOf(after, name);
  return array === undefined ? [] : [gate(aws, name, array, targetGroupArn)];
}

/** The array's servers pass what frontends do. */
function arrayWorks(scene: Scene, name: string): Gate[] {
  const { aws, after } = scene;
  const { array } = generationOf(after, name);
  if (array === undefined) return [];
  const inService = arrayGates(scene, name, arrayInService);
  const [standIn] = inService;
  return [
    ...inService,
    overArray(aws, array, (servers) => instancesOk(aws, servers)),
    overArray(aws, array, (servers) => smokeOnEach(scene, name, servers, standIn)),
  ];
}

function arraySuspended({ aws, after }: Scene, name: string): Gate[] {
  const { array } = generationOf(after, name);
  return array?.intent === "suspended" ? [processesSuspended(aws, name, array, { all: allThatScales })] : [];
}

function arrayResumed({ aws, after }: Scene, name: string): Gate[] {
  const { array } = generationOf(after, name);
  if (array === undefined) return [];
  const { suspendedByOperator = [] } = array;
  const none = allThatScales.filter((process) => !suspendedByOperator.includes(process));
  return [processesSuspended(aws, name, array, { all: suspendedByOperator, none })];
}

/** The servers that the update removed are terminated. */
function gone({ aws, before, after }: Scene): Gate[] {
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

function balancerPlace({ loadBalancer }: Outputs, host: string, generation?: string): Place {
  const { protocol, dnsName, port } = loadBalancer;
  return { name: host, question: { protocol, address: dnsName, port, host }, generation };
}

function generationOf(outputs: Outputs, name: string) {
  const generation = outputs.generations[name];
  if (generation === undefined) throw new Error(`The stack's outputs have no generation "${name}".`);
  return generation;
}
