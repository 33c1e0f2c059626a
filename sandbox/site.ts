import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { openStack } from "../automation/run/open-stack.ts";
import { type Sandbox, stackFile } from "./sandbox.ts";
import { slot } from "./slot.ts";
import type { LoadOptions } from "./traffic/load.ts";
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
  const port = outputs.generations[outputs.live]?.port ?? 0;
  return startTraffic({
    loadBalancer: { host: outputs.loadBalancer.dnsName, port: outputs.loadBalancer.port, hostHeader: outputs.hostname },
    addresses: outputs.addresses.map(({ publicIp }) => ({ publicIp, port })),
    networkUrl: slot(sandbox.slot).network.url,
    ...load,
  });
}

/** Sets values in a sandbox's stack file, each by its path: `handover:site.loadBalancer.port`. */
export function edit(name: string, values: Readonly<Record<string, unknown>>): void {
  const document = parseDocument(readFileSync(stackFile(name), "utf8"));
  for (const [path, value] of Object.entries(values)) document.setIn(["config", ...path.split(".")], value);
  writeFileSync(stackFile(name), document.toString());
}
