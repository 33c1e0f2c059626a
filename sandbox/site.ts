import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { openStack } from "../automation/run/open-stack.ts";
import { type Entry, entriesIn, type Outputs } from "../stacks/outputs.ts";
import { type Sandbox, stackFile } from "./sandbox.ts";
import { slot } from "./slot.ts";
import type { LoadOptions, Targets } from "./traffic/load.ts";
import { startTraffic, type Traffic } from "./traffic/traffic.ts";

/** Load on a site's name and on each of its addresses; undefined before it was deployed. */
export async function trafficOn(
  sandbox: Sandbox,
  load: Pick<LoadOptions, "requestsPerSecond" | "path" | "timeoutSeconds" | "failureSamples">,
): Promise<Traffic | undefined> {
  const opened = await openStack(sandbox.name, { create: true });
  opened.close();
  const outputs = opened.last?.outputs;
  if (outputs === undefined) return undefined;
  return startTraffic({ ...targetsOf(outputs), networkUrl: slot(sandbox.slot).network.url, ...load });
}

/** Everything by which users reach a site. */
export function targetsOf(outputs: Outputs): Targets {
  const { hostname, addresses, generations, live } = outputs;
  const port = generations[live]?.port ?? 0;
  const destinationOf = ({ listener: { dnsName, port } }: Entry) => ({ host: dnsName, port, hostHeader: hostname });
  const [first, ...others] = entriesIn(outputs);
  return {
    loadBalancer: destinationOf(first),
    ...(others.length > 0 && { entries: others.map(destinationOf) }),
    addresses: addresses.map(({ publicIp }) => ({ publicIp, port })),
  };
}

/** Sets values in a sandbox's stack file, each by its path: `handover:site.loadBalancer.port`. */
export function edit(name: string, values: Readonly<Record<string, unknown>>): void {
  const document = parseDocument(readFileSync(stackFile(name), "utf8"));
  for (const [path, value] of Object.entries(values)) document.setIn(["config", ...path.split(".")], value);
  writeFileSync(stackFile(name), document.toString());
}
