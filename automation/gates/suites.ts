import { type HttpCheck, httpCheckOf } from "../../stacks/checks.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { commandPasses, after as once } from "./command.ts";
import { documentSucceeds } from "./document.ts";
import type { Gate } from "./gate.ts";
import type { GatedRow, Scene } from "./of-row.ts";

/** The HTTP checks of the configuration; where there are none, the health check's path. */
export function httpChecks({ config }: Pick<Scene, "config">): readonly HttpCheck[] {
  const checks = (config.upgrade.smoke ?? []).filter((check) => "path" in check);
  return checks.length > 0 ? checks : [httpCheckOf({ path: config.site.loadBalancer.healthCheck.path })];
}

/**
 * The checks of the configuration that run once in a row: the user's commands, and the documents when servers are new.
 * @param ready what must hold before they run
 */
export function suites(row: GatedRow, scene: Scene, generation: string, ready: Gate): Gate[] {
  const { config, after, manager, redact } = scene;
  const frontends = after.generations[generation]?.frontends ?? [];
  const launched = row === "launch-first" || row === "launch-rest";
  return (config.upgrade.smoke ?? []).flatMap((check) => {
    if ("command" in check) {
      const environment = environmentOf(row, after, generation, launched ? after.testHostname : after.hostname);
      return [once(ready, commandPasses(check, { environment, redact }))];
    }
    if ("ssm" in check && launched) return [once(ready, documentSucceeds(manager, check, frontends, redact))];
    return [];
  });
}

/** What a command is told: where to look, and what must answer. Lists are separated by blanks. */
export function environmentOf(row: GatedRow, outputs: Outputs, generation: string, host: string) {
  const { loadBalancer, addresses, generations } = outputs;
  const { frontends = [], port = 0 } = generations[generation] ?? {};
  const urls = (ips: readonly string[]) => ips.map((ip) => `http://${ip}:${port}`).join(" ");
  const ids = new Set(frontends.map(({ instanceId }) => instanceId));
  return {
    HANDOVER_PHASE: row,
    HANDOVER_GENERATION: generation,
    /** The host name to ask for: the test host name before the new servers have traffic. */
    HANDOVER_HOST: host,
    /** The load balancer; `host` must be its Host header. */
    HANDOVER_URL: `${loadBalancer.protocol}://${loadBalancer.dnsName}:${loadBalancer.port}`,
    HANDOVER_SERVER_URLS: urls(frontends.map(({ privateIp }) => privateIp)),
    HANDOVER_ADDRESS_URLS: urls(
      addresses.filter(({ instanceId }) => ids.has(instanceId)).map(({ publicIp }) => publicIp),
    ),
  };
}
