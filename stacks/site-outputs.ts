import type { ArrayFacts } from "./array-facts.ts";
import { type Config, entriesOf } from "./config.ts";
import type { EntryTargets } from "./generation.ts";
import type { Intent } from "./intent.ts";
import type { Outputs } from "./outputs.ts";
import type { Site } from "./site.ts";

/** The outputs that outputs.ts describes, with resources' properties in place of plain values. */
export function siteOutputs(
  site: Site,
  config: Config,
  { intent: desired, run }: { readonly intent: Intent; readonly run: Outputs["run"] },
  { suspendedByOperator }: ArrayFacts,
  isProtected: (address: number) => boolean,
): Record<keyof Omit<Outputs, "live" | "ledgerTable" | "siteId" | "lastRun" | "entries">, unknown> & {
  entries?: unknown;
} {
  const { loadBalancer } = site.balancer;
  const [first, ...others] = entriesOf(config.site);
  const listenerOf = ({ listener: { port, certificateArns } }: typeof first) => ({
    arn: loadBalancer.arn,
    dnsName: loadBalancer.dnsName,
    port,
    protocol: certificateArns.length === 0 ? "http" : "https",
  });
  return {
    run,
    hostname: config.site.hostname,
    testHostname: config.site.testHostname,
    loadBalancer: listenerOf(first),
    ...(others.length > 0 && { entries: byName(others.map((entry) => [entry.name, listenerOf(entry)])) }),
    addresses: site.addresses.addresses.map(({ publicIp, allocationId, holder, isNamed }, index) => ({
      ...{ publicIp, allocationId, instanceId: holder.id, protected: isProtected(index) },
      ...(isNamed && { named: true }),
    })),
    generations: Object.fromEntries(
      Object.entries(site.generations).map(([name, generation]) => [
        name,
        {
          ...targetsOf(generation.targetGroups[0]),
          ...(others.length > 0 && {
            entries: byName(generation.targetGroups.slice(1).map((each) => [each.entry.name, targetsOf(each)])),
          }),
          weight: desired.weights[name] ?? 0,
          registered: desired.generations[name]?.registered ?? false,
          frontends: generation.frontends.map(({ name: frontend, instance }) => ({
            name: frontend,
            instanceId: instance.id,
            privateIp: instance.privateIp,
          })),
          ...(site.arrays[name] !== undefined && {
            array: {
              name: site.arrays[name].group.name,
              intent: desired.generations[name]?.array,
              ...(run !== null && suspendedByOperator !== undefined && { suspendedByOperator }),
            },
          }),
        },
      ]),
    ),
    snapshot: site.database?.snapshot ?? null,
  };
}

function targetsOf({ entry: { port }, group }: EntryTargets) {
  return { targetGroupArn: group.arn, port };
}

/** By the names of further entries. */
function byName<Value>(values: readonly (readonly [name: string | undefined, Value])[]): Record<string, Value> {
  return Object.fromEntries(values.map(([name = "", value]) => [name, value]));
}
