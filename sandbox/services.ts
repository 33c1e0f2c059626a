import { join } from "node:path";
import { programExtension } from "../stacks/project.ts";
import { startCloud } from "./cloud/start.ts";
import { startDatabase } from "./database/start.ts";
import { startService } from "./processes.ts";
import type { Slot } from "./slot.ts";

/** The services of a sandbox. Each is started detached, so that it outlives this process, and gives its process id. */

/** How the load balancer of a sandbox learns of changes. */
export interface BalancerOptions {
  /** The longest that a node takes to learn of a change, in seconds. Default: 3. */
  readonly balancerLagSeconds: number;
  /** Changes that nodes learn late. Default: both. */
  readonly balancerLate: "rules" | "targets" | "both";
  /** Repeats the moments at which they learn. Default: 1. */
  readonly seed: number;
}

export const ownProvider = join(import.meta.dirname, "..", "provider");

export async function startCloudService(directory: string, slot: Slot, settings: object): Promise<number> {
  const { process } = await startCloud({
    slot,
    logFile: join(directory, "cloud.log"),
    config: { addressPool: slot.addressPool, loadBalancerPool: slot.loadBalancerPool, ...settings },
    detached: true,
  });
  return pidOf(process.pid);
}

export async function startDatabaseService(directory: string, slot: Slot): Promise<number> {
  const options = { slot, directory: join(directory, "database"), logFile: join(directory, "database.log") };
  return pidOf((await startDatabase({ ...options, detached: true })).pid);
}

export async function startNetwork(
  directory: string,
  { cloud, network, outside, database }: Slot,
  { balancerLagSeconds, balancerLate, seed }: BalancerOptions,
): Promise<number> {
  const args = [
    join(import.meta.dirname, "network", `main${programExtension}`),
    "--cloud",
    cloud.url,
    "--host",
    network.host,
    "--port",
    String(network.port),
    "--outside-port",
    String(outside.port),
    "--database",
    database.url,
    "--balancer-lag-seconds",
    String(balancerLagSeconds),
    "--balancer-late",
    balancerLate,
    "--seed",
    String(seed),
  ];
  const service = await startService("network", {
    command: process.execPath,
    args,
    logFile: join(directory, "network.log"),
    detached: true,
  });
  return pidOf(service.pid);
}

/** The engine attaches to it as long as the sandbox is up, so one that dies is started again. */
export async function startProvider(directory: string, { provider: { port } }: Slot, other?: string): Promise<number> {
  const [command, args] =
    other === undefined
      ? [join(import.meta.dirname, "keep"), [join(ownProvider, "pulumi-resource-aws")]]
      : [process.execPath, [join(import.meta.dirname, `plugin${programExtension}`), other]];
  const service = await startService("provider", {
    command,
    args: [...args, "--port", String(port)],
    logFile: join(directory, "provider.log"),
    detached: true,
  });
  return pidOf(service.pid);
}

function pidOf(pid: number | undefined): number {
  if (pid === undefined) throw new Error("A service has no process.");
  return pid;
}
