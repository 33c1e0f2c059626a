import { httpCheckOf } from "../../stacks/config/checks.ts";
import type { Frontend } from "../../stacks/outputs.ts";
import { serversInService } from "../gates/array.ts";
import { type GateContext, generationOf, wasBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { identityOf } from "../gates/identity.ts";
import { type Door, Probes } from "../gates/probes.ts";
import { balancerPlace, httpChecksOf } from "./servers.ts";

/** Methods that change nothing on the site. https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1 */
const safe: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** What the driver asks both generations itself, while one takes over from the other. */
export function probed(context: GateContext): Gate[] {
  const { config, after, from, to } = context;
  const { probe, comparison } = config.upgrade;
  if (!probe.enabled || from === to) return [];
  const own = httpChecksOf(config).filter(({ method }) => safe.includes(method));
  const known = new Set(own.map(({ path }) => path));
  const { slow, confidence, minRequests } = comparison;
  const pages = probe.paths
    .filter((path) => !known.has(path))
    .map((path) => ({ ...httpCheckOf({ path }), matcher: "200-399" }));
  const generations = {
    next: to,
    old: from,
    servers: { next: servers(context, to), old: servers(context, from) },
    arrays: async (signal: AbortSignal) => {
      const [next, old] = await Promise.all([inArray(context, to, signal), inArray(context, from, signal)]);
      return { next, old };
    },
    balancer: {
      next: [balancerPlace(after, after.testHostname)],
      old: [{ ...balancerPlace(after, after.hostname), shared: true }],
    },
    addresses: { next: addresses(context, to), old: addresses(context, from) },
    uncounted: after.addresses.length > 0 || !comparison.enabled,
    identity: identityOf(context),
    checks: [...own.map((check) => ({ ...check, passes: 1 })), ...pages],
  };
  return [new Probes(generations, { ...probe, slow, confidence, minRequests })];
}

function servers(context: GateContext, name: string): Door[] {
  return doorsOf(context, name, frontends(context, name));
}

/** Those in service now. */
async function inArray(context: GateContext, name: string, signal: AbortSignal): Promise<Door[]> {
  const { array } = generationOf(context.after, name);
  if (array === undefined || wasBad(context, "array", array.name)) return [];
  return doorsOf(context, name, await serversInService(context.aws, array)(signal));
}

function doorsOf({ after }: GateContext, name: string, all: readonly Frontend[]): Door[] {
  const { port } = generationOf(after, name);
  return all.map((server) => {
    const question = { protocol: "http", address: server.privateIp, port, host: after.hostname } as const;
    return { name: server.name, question };
  });
}

/** One that was dead before the run has nothing to compare with. */
function frontends(context: GateContext, name: string): readonly Frontend[] {
  return generationOf(context.after, name).frontends.filter(
    ({ instanceId }) => name === context.to || !wasBad(context, "server", instanceId),
  );
}

function addresses(context: GateContext, name: string): Door[] {
  const { after } = context;
  const { port } = generationOf(after, name);
  const ids = new Set(frontends(context, name).map(({ instanceId }) => instanceId));
  return after.addresses.flatMap(({ publicIp, instanceId }) => {
    const question = { protocol: "http", address: publicIp, port, host: after.hostname } as const;
    return ids.has(instanceId) ? [{ name: publicIp, question }] : [];
  });
}
