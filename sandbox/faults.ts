import type { Sandbox } from "./sandbox.ts";
import { slot } from "./slot.ts";

export interface Fault {
  readonly kind: "throttle" | "expired" | "denied" | "error" | "latency" | "capacity" | "drop";
  /** Share of the calls that it strikes, above 0 up to 1. Default: 1. */
  readonly rate?: number;
  /** The one operation that it strikes, for example `RunInstances`. Default: all. */
  readonly operation?: string;
  /** Most calls that it strikes. Default: any number. */
  readonly times?: number;
  /** HTTP status of `error`: 500 or 503. Default: 500. */
  readonly status?: number;
  /** Delay of `latency`. Default: 300. */
  readonly milliseconds?: number;
  /** Duration of the fault. Default: until it is cleared. */
  readonly seconds?: number;
}

/** Makes calls to the sandbox's cloud go wrong from now on. */
export async function addFault(sandbox: Sandbox, fault: Fault): Promise<void> {
  await request(sandbox, "POST", fault);
}

export async function clearFaults(sandbox: Sandbox): Promise<void> {
  await request(sandbox, "DELETE");
}

async function request({ slot: number }: Sandbox, method: string, body?: object): Promise<void> {
  const answer = await fetch(`${slot(number).cloud.url}/sandbox/faults`, {
    method,
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The cloud refused the fault: ${await answer.text()}`);
}
