import { type HttpCheck, httpCheckOf } from "../../stacks/config/checks.ts";
import type { SiteConfig } from "../../stacks/config.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import { addressesHeld } from "../gates/addresses.ts";
import { allServers, arrayServersGone, overArray } from "../gates/array.ts";
import type { Gate } from "../gates/gate.ts";
import { instancesGone, instancesOk } from "../gates/instances.ts";
import { generationOf, type Scene } from "../gates/scene.ts";
import { type Place, smoke } from "../gates/smoke.ts";
import { targetsDrained, targetsHealthy } from "../gates/targets.ts";

/** Gates over a generation's frontends, and over who reaches them. */

/** Status checks, the load balancer's view, and smoke on each server and through the test host name. */
export function serversWork(scene: Scene, name: string): Gate[] {
  return [instancesOk(scene.aws, generationOf(scene.after, name).frontends), ...serversAnswer(scene, name)];
}

/** The same without the status checks, which change slowly. */
export function serversAnswer(scene: Scene, name: string): Gate[] {
  const { after, redact } = scene;
  const throughTestHost = balancerPlace(after, after.testHostname, name);
  return [
    healthy(scene, name),
    smokeOnEach(scene, name, generationOf(after, name).frontends, healthy(scene, name)),
    smoke("smoke through the test host name", [throughTestHost], httpChecks(scene), { redact }),
  ];
}

/** @param standIn what holds instead where no server can be reached from here */
export function smokeOnEach(scene: Scene, name: string, servers: readonly Frontend[], standIn: Gate | undefined): Gate {
  const { after, redact } = scene;
  const { port } = generationOf(after, name);
  const places = servers.map((server): Place => {
    const question = { protocol: "http", address: server.privateIp, port, host: after.testHostname } as const;
    return { name: server.name, question, generation: name };
  });
  return smoke("smoke on each server", places, httpChecks(scene), { standIn, redact });
}

/** @param generation the one that must answer. Default: any */
export function publicSmoke(scene: Scene, generation?: string): Gate {
  const place = balancerPlace(scene.after, scene.after.hostname, generation);
  return smoke("smoke through the load balancer", [place], httpChecks(scene), { redact: scene.redact });
}

/** Every address that the generation holds is on its server, and is answered from there. */
export function addressesWork(scene: Scene, name: string): Gate[] {
  const { aws, after, redact } = scene;
  const { frontends, port } = generationOf(after, name);
  const held = after.addresses.filter(({ instanceId }) =>
    frontends.some((frontend) => frontend.instanceId === instanceId),
  );
  if (held.length === 0) return [];
  const places = held.map(({ publicIp }): Place => {
    const question = { protocol: "http", address: publicIp, port, host: after.hostname } as const;
    return { name: publicIp, question, generation: name };
  });
  return [addressesHeld(aws, held), smoke("smoke through the addresses", places, httpChecks(scene), { redact })];
}

export function healthy({ aws, after }: Scene, name: string): Gate {
  const { targetGroupArn, frontends } = generationOf(after, name);
  return targetsHealthy(aws, name, targetGroupArn, frontends);
}

/** The load balancer has finished with the frontends, and with the array's servers. */
export function drained({ aws, after, config }: Scene, name: string): Gate[] {
  const { targetGroupArn, frontends, array } = generationOf(after, name);
  const patienceSeconds = config.site.loadBalancer.deregistrationDelaySeconds + config.upgrade.gateSeconds;
  const over = (servers: readonly Frontend[]) => targetsDrained(aws, name, targetGroupArn, servers, patienceSeconds);
  return [over(frontends), ...(array === undefined ? [] : [overArray(allServers(aws, array), over)])];
}

/** The servers that the update removed are terminated. */
export function gone({ aws, before, after }: Scene): Gate[] {
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

/** The HTTP checks of the configuration; where there are none, the health check's path. */
function httpChecks({ config }: Pick<Scene, "config">): readonly HttpCheck[] {
  const checks = (config.upgrade.smoke ?? []).filter((check) => "path" in check);
  return checks.length > 0 ? checks : [healthCheckOf(config.site.loadBalancer)];
}

/** What the load balancer asks, and what it takes for healthy. */
function healthCheckOf({ healthCheck: { path, matcher } }: SiteConfig["loadBalancer"]): HttpCheck {
  return { ...httpCheckOf({ path }), matcher };
}

function balancerPlace({ loadBalancer }: Outputs, host: string, generation?: string): Place {
  const { protocol, dnsName, port } = loadBalancer;
  return { name: host, question: { protocol, address: dnsName, port, host }, generation };
}
