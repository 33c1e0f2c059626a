import type { UpgradeConfig } from "../../stacks/config.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import { ask } from "../http.ts";
import type { Gate } from "./gate.ts";

/**
 * Every old server says that it has no active sessions: a line `Field: number` of its status page, as Apache's
 * `server-status?auto` has (https://httpd.apache.org/docs/2.4/mod/mod_status.html). After `limitSeconds` evidence is
 * inconclusive, so the run pauses and nobody's session is cut.
 */
export function sessionsEnded(
  sessions: NonNullable<UpgradeConfig["sessions"]>,
  frontends: readonly Frontend[],
  site: Pick<Outputs, "hostname"> & { port: number },
): Gate {
  return {
    name: "sessions ended",
    patienceSeconds: sessions.limitSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const counts = await Promise.all(
        frontends.map(async ({ name, privateIp }) => {
          const question = {
            protocol: "http",
            address: privateIp,
            port: site.port,
            host: site.hostname,
            path: sessions.path,
          } as const;
          return { name, active: countOf((await ask(question, signal)).body, sessions.field) };
        }),
      );
      const active = counts.filter(({ active: count }) => count > sessions.atMost);
      return { verdict: active.length === 0 ? "pass" : "pending", evidence: { counts } };
    },
  };
}

function countOf(body: string, field: string): number {
  const line = body.split("\n").find((candidate) => candidate.startsWith(`${field}:`));
  const count = Number(line?.slice(field.length + 1));
  if (line === undefined || Number.isNaN(count)) throw new Error(`the status page has no line "${field}: <number>"`);
  return count;
}
