import { httpCheckOf } from "../../stacks/config/checks.ts";
import { type Entry, entriesIn, type Frontend, targetsThrough } from "../../stacks/outputs.ts";
import { serversInService } from "../gates/array.ts";
import { type GateContext, generationOf, wasBad, wasServerBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { identityOf } from "../gates/identity.ts";
import { type Door, Probes } from "../gates/probes.ts";
import { balancerPlace, httpChecksOf, usualPage } from "./questions.ts";

/** Methods that change nothing on the site. https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1 */
const safe: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** What the driver asks both generations itself, by each entry, while one takes over from the other. */
export function probed(context: GateContext): Gate[] {
  const { config, after, from, to } = context;
  if (!config.upgrade.probe.enabled || from === to) return [];
  return entriesIn(after).map((entry) => probesOf(context, entry));
}

function probesOf(context: GateContext, entry: Entry): Probes {
  const { config, after, from, to } = context;
  const { probe, comparison } = config.upgrade;
  const isFirst = entry.name === undefined;
  const stated = httpChecksOf(config, entry.name).filter(({ method }) => safe.includes(method));
  const own = isFirst || stated.length > 0 ? stated : [usualPage(context, entry.name)];
  const known = new Set(own.map(({ path }) => path));
  const { slow, confidence, minRequests } = comparison;
  const pages = (isFirst ? probe.paths : [])
    .filter((path) => !known.has(path))
    .map((path) => ({ ...httpCheckOf({ path }), matcher: "200-399" }));
  const generations = {
    next: to,
    old: from,
    entry: entry.name,
    servers: { next: servers(context, to, entry), old: servers(context, from, entry) },
    arrays: async (signal: AbortSignal) => {
      const all = [to, from].map((name) => inArray(context, name, entry, signal));
      const [next = [], old = []] = await Promise.all(all);
      return { next, old };
    },
    balancer: {
      next: [balancerPlace(entry, after.testHostname)],
      old: [{ ...balancerPlace(entry, after.hostname), shared: true }],
    },
    // Their users ask for the first entry's port.
    addresses: isFirst ? { next: addresses(context, to), old: addresses(context, from) } : { next: [], old: [] },
    uncounted: !comparison.enabled || (isFirst && after.addresses.length > 0),
    identity: identityOf(context),
    checks: [...own.map((check) => ({ ...check, passes: 1 })), ...pages],
  };
  return new Probes(generations, { ...probe, slow, confidence, minRequests });
}

function servers(context: GateContext, name: string, entry: Entry): Door[] {
  return doorsOf(context, name, entry, frontends(context, name, entry.name));
}

/** Those in service now. */
async function inArray(context: GateContext, name: string, entry: Entry, signal: AbortSignal): Promise<Door[]> {
  const { array } = generationOf(context.after, name);
  if (array === undefined || wasBad(context, "array", array.name)) return [];
  return doorsOf(context, name, entry, await serversInService(context.aws, array)(signal));
}

function doorsOf({ after }: GateContext, name: string, entry: Entry, all: readonly Frontend[]): Door[] {
  const { port } = targetsThrough(generationOf(after, name), entry.name);
  return all.map((server) => {
    const question = { protocol: "http", address: server.privateIp, port, host: after.hostname } as const;
    return { name: server.name, question };
  });
}

/** One that was dead before the run has nothing to compare with. */
function frontends(context: GateContext, name: string, entry?: string): readonly Frontend[] {
  return generationOf(context.after, name).frontends.filter(
    ({ instanceId }) => name === context.to || !wasServerBad(context, instanceId, entry),
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
