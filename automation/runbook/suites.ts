import { entriesIn, type Frontend, type Outputs, targetsOf } from "../../stacks/outputs.ts";
import { arrayInService, serversInService } from "../gates/array.ts";
import { commandPasses } from "../gates/command.ts";
import { type GateContext, generationOf, type Servers } from "../gates/context.ts";
import { documentSucceeds } from "../gates/document.ts";
import type { Gate } from "../gates/gate.ts";
import { once } from "../gates/once.ts";
import { factsOf, type Row } from "./rows.ts";
import { healthy } from "./servers.ts";

/**
 * The checks of the configuration that run once in a row, when its servers are healthy: the user's commands, and the
 * documents on the servers that the row has launched.
 */
export function suites(row: Row, context: GateContext, generation: string): Gate[] {
  const { config, after, manager, redact } = context;
  const subject = subjectOf(row, context, generation);
  if (subject === undefined) return [];
  const { servers, launched, host, ready } = subject;
  const environment = async (signal: AbortSignal) =>
    environmentOf(row, after, generation, { host, servers: await servers(signal) });
  return (config.upgrade.smoke ?? []).flatMap((check) => {
    if ("path" in check || ("ssm" in check && !launched)) return [];
    const gate =
      "command" in check
        ? commandPasses(check, { environment, redact })
        : documentSucceeds(manager, check, servers, redact);
    return [ready.reduceRight((last, first) => once(first, last), gate)];
  });
}

/** The subject of a row's suites. */
interface Subject {
  readonly servers: Servers;
  /** Whether the row has launched them. */
  readonly launched: boolean;
  /** The name that reaches the generation: the test host name before the new servers have all traffic. */
  readonly host: string;
  /** Gates that must hold before. */
  readonly ready: readonly Gate[];
}

/** Undefined when the row leaves nothing to be tested. */
function subjectOf(row: Row, context: GateContext, generation: string): Subject | undefined {
  const { aws, after } = context;
  const generationNow = generationOf(after, generation);
  const { frontends, array, weight } = generationNow;
  const { hostname, testHostname } = after;
  const ofFrontends = { servers: async () => frontends, ready: [healthy(context, generation)] };
  const ofArray = array && {
    servers: serversInService(aws, array),
    ready: [arrayInService(aws, generation, array, targetsOf(generationNow))],
  };
  switch (factsOf(row).suite) {
    case "none":
      return undefined;
    case "new frontends":
      return { ...ofFrontends, launched: true, host: testHostname };
    case "new array":
      return ofArray && { ...ofArray, launched: true, host: testHostname };
    case "all servers":
      return {
        servers: async (signal) => [...frontends, ...((await ofArray?.servers(signal)) ?? [])],
        ready: [...ofFrontends.ready, ...(ofArray?.ready ?? [])],
        launched: true,
        host: hostname,
      };
    case "frontends":
      // While traffic is shared, the old servers would be asked too.
      return { ...ofFrontends, launched: false, host: weight === 100 ? hostname : testHostname };
  }
}

/** A command's environment: where to look, and what must answer. Lists are separated by blanks. */
export function environmentOf(
  row: Row,
  outputs: Outputs,
  generation: string,
  { host, servers }: { readonly host: string; readonly servers: readonly Frontend[] },
) {
  const { addresses, generations } = outputs;
  const { frontends = [], port = 0 } = generations[generation] ?? {};
  const [first, ...others] = entriesIn(outputs).map(({ name, listener: { protocol, dnsName, port } }) => {
    return { name, url: `${protocol}://${dnsName}:${port}` };
  });
  const urls = (ips: readonly string[]) => ips.map((ip) => `http://${ip}:${port}`).join(" ");
  const ids = new Set(frontends.map(({ instanceId }) => instanceId));
  return {
    HANDOVER_PHASE: row,
    HANDOVER_GENERATION: generation,
    /** The host name to ask for: the test host name before the new servers have traffic. */
    HANDOVER_HOST: host,
    /** The load balancer; `host` must be its Host header. */
    HANDOVER_URL: first?.url ?? "",
    /** The same of each further entry: `admin=http://…`. */
    ...(others.length > 0 && { HANDOVER_ENTRY_URLS: others.map(({ name, url }) => `${name}=${url}`).join(" ") }),
    HANDOVER_SERVER_URLS: urls(servers.map(({ privateIp }) => privateIp)),
    HANDOVER_ADDRESS_URLS: urls(
      addresses.filter(({ instanceId }) => ids.has(instanceId)).map(({ publicIp }) => publicIp),
    ),
  };
}
