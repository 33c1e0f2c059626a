import type { Config } from "../../stacks/config.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import type { Row } from "../../stacks/runbook.ts";
import type { Aws } from "../aws.ts";
import { addressesHeld } from "./addresses.ts";
import type { Gate } from "./gate.ts";
import { instancesGone, instancesOk } from "./instances.ts";
import { sessionsEnded } from "./sessions.ts";
import { type Place, smoke } from "./smoke.ts";
import { snapshotCompleted } from "./snapshot.ts";
import { targetsDrained, targetsHealthy } from "./targets.ts";

/** What a row's gates look at. */
export interface Scene {
  readonly aws: Aws;
  readonly config: Config;
  readonly from: string;
  readonly to: string;
  /** The stack's outputs before and after the row's update. */
  readonly before: Outputs | undefined;
  readonly after: Outputs;
}

export interface RowGates {
  /** Must pass once. */
  readonly hold: readonly Gate[];
  /** Must then keep passing for a time. */
  readonly watch?: { readonly gates: readonly Gate[]; readonly seconds: number };
}

/** Rows of the runbook, the way back, and the update that leaves one generation alone. */
export type GatedRow = Row | "settle";

/** What must hold before the run goes on from a row. */
export function gatesOf(row: GatedRow, scene: Scene): RowGates {
  const { config, after, to } = scene;
  switch (row) {
    case "backup":
      return { hold: after.snapshot === null ? [] : [snapshotCompleted(scene.aws, after.snapshot)] };
    case "launch-first":
    case "launch-rest":
      return { hold: serversWork(scene, to) };
    case "connect": {
      const gates = [healthy(scene, to), publicSmoke(scene)];
      return { hold: gates, watch: { gates, seconds: config.upgrade.stepSeconds } };
    }
    case "move-addresses":
      return { hold: addressesWork(scene, to) };
    case "observe": {
      const gates = [healthy(scene, to), publicSmoke(scene, to), ...addressesWork(scene, to)];
      return { hold: gates, watch: { gates, seconds: config.upgrade.bakeSeconds } };
    }
    case "drain":
      return { hold: [...drained(scene, scene.from), ...sessions(scene)] };
    case "retire":
      return { hold: gone(scene) };
    case "withdraw":
      return { hold: [publicSmoke(scene), ...addressesWork(scene, scene.from), ...drained(scene, to)] };
    case "settle":
      return {
        hold: [
          ...serversWork(scene, after.live),
          publicSmoke(scene, after.live),
          ...addressesWork(scene, after.live),
          ...gone(scene),
        ],
      };
    case "migrate":
    case "suspend-array":
    case "resume-array":
      return { hold: [] };
  }
}

/**
 * What must hold right before a row is applied: old servers leave only while every new one serves. The gates of the row
 * before have passed, but that may be days ago when a run was paused.
 */
export function gatesBefore(row: GatedRow, scene: Scene): RowGates {
  return { hold: row === "drain" ? [healthy(scene, scene.to)] : [] };
}

/** Status checks, the load balancer's view, and smoke on each server and through the test host name. */
function serversWork(scene: Scene, name: string): Gate[] {
  const { aws, after } = scene;
  const { frontends, port } = generationOf(after, name);
  const places = frontends.map((frontend): Place => {
    return {
      name: frontend.name,
      question: { protocol: "http", address: frontend.privateIp, port, host: after.testHostname },
      generation: name,
    };
  });
  const throughTestHost = balancerPlace(after, after.testHostname, name);
  return [
    instancesOk(aws, frontends),
    healthy(scene, name),
    smoke("smoke on each server", places, checks(scene), healthy(scene, name)),
    smoke("smoke through the test host name", [throughTestHost], checks(scene)),
  ];
}

function publicSmoke(scene: Scene, generation?: string): Gate {
  return smoke(
    "smoke through the load balancer",
    [balancerPlace(scene.after, scene.after.hostname, generation)],
    checks(scene),
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
  return [addressesHeld(aws, held), smoke("smoke through the addresses", places, checks(scene))];
}

function healthy({ aws, after }: Scene, name: string): Gate {
  const { targetGroupArn, frontends } = generationOf(after, name);
  return targetsHealthy(aws, name, targetGroupArn, frontends);
}

function drained({ aws, after, config }: Scene, name: string): Gate[] {
  const { targetGroupArn, frontends } = generationOf(after, name);
  const patienceSeconds = config.site.loadBalancer.deregistrationDelaySeconds + config.upgrade.gateSeconds;
  return [targetsDrained(aws, name, targetGroupArn, frontends, patienceSeconds)];
}

function sessions({ config, after, from }: Scene): Gate[] {
  if (config.upgrade.sessions === undefined) return [];
  const { frontends, port } = generationOf(after, from);
  return [sessionsEnded(config.upgrade.sessions, frontends, { hostname: after.hostname, port })];
}

/** The servers of generations that the update removed are terminated. */
function gone({ aws, before, after }: Scene): Gate[] {
  const removed = Object.entries(before?.generations ?? {}).flatMap(([name, { frontends }]) =>
    after.generations[name] === undefined ? frontends : [],
  );
  return removed.length === 0 ? [] : [instancesGone(aws, removed)];
}

function balancerPlace({ loadBalancer }: Outputs, host: string, generation?: string): Place {
  const { protocol, dnsName, port } = loadBalancer;
  return { name: host, question: { protocol, address: dnsName, port, host }, generation };
}

function checks({ config }: Scene) {
  return config.upgrade.smoke ?? [{ path: config.site.loadBalancer.healthCheck.path, expectStatus: 200 }];
}

function generationOf(outputs: Outputs, name: string) {
  const generation = outputs.generations[name];
  if (generation === undefined) throw new Error(`The stack's outputs have no generation "${name}".`);
  return generation;
}
