import type { CloudState } from "./network/state.ts";
import { isRunning } from "./processes.ts";
import type { Sandbox } from "./sandbox.ts";
import { slot } from "./slot.ts";

export interface SandboxStatus {
  readonly name: string;
  readonly up: true;
  readonly endpoint: string;
  readonly services: Readonly<Record<string, { readonly pid: number; readonly running: boolean }>>;
  readonly loadBalancers: readonly string[];
  readonly addresses: readonly { readonly publicIp: string; readonly instanceId: string | null }[];
  readonly running: number;
}

/** Reads what runs in a sandbox, and what its cloud holds. */
export async function statusOf({ name, slot: number, processes }: Sandbox): Promise<SandboxStatus> {
  const { cloud } = slot(number);
  const services = Object.fromEntries(
    Object.entries(processes).map(([service, pid]) => [service, { pid, running: isRunning(pid) }]),
  );
  const state = services.cloud?.running ? await cloudState(cloud.url) : undefined;
  return {
    name,
    up: true,
    endpoint: cloud.url,
    services,
    loadBalancers: (state?.loadBalancers ?? []).flatMap(({ addresses, listeners }) =>
      listeners.flatMap(({ port }) => addresses.map((address) => `http://${address}:${port}`)),
    ),
    addresses: (state?.addresses ?? []).map(({ publicIp, instanceId }) => ({ publicIp, instanceId })),
    running: (state?.instances ?? []).filter((instance) => instance.state === "running").length,
  };
}

async function cloudState(url: string): Promise<CloudState> {
  const answer = await fetch(`${url}/sandbox/state?after=-1&waitSeconds=0`);
  return (await answer.json()) as CloudState;
}
