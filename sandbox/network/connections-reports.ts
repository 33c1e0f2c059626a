import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { type Log, messageOf } from "./log.ts";
import type { ConnectionsReport } from "./state.ts";

const intervalMilliseconds = 50;

/** Tells the cloud, as long as there is something to tell, what is established where new connections are held back. */
export async function reportConnections(
  cloudUrl: string,
  reports: () => readonly ConnectionsReport[],
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  const url = new URL("/sandbox/connections", cloudUrl).href;
  const headers = { "content-type": "application/json" };
  while (!signal.aborted) {
    await sleep(intervalMilliseconds, undefined, { signal }).catch(() => undefined);
    const now = reports();
    if (now.length === 0 || signal.aborted) continue;
    try {
      const answer = await request(url, { method: "POST", headers, body: JSON.stringify(now), signal });
      await answer.body.dump();
    } catch (error) {
      if (!signal.aborted) log(`the cloud did not take a report of connections: ${messageOf(error)}`);
    }
  }
}
