import type { SessionsConfig } from "../../stacks/checks.ts";
import type { Frontend, Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../aws.ts";
import { ask } from "../http.ts";
import { valueAt } from "../json-path.ts";
import type { Gate } from "./gate.ts";

/**
 * One old server says for `quietSeconds` that it has no active sessions: a line `Field: number` of its status page, as
 * Apache's `server-status?auto` has (https://httpd.apache.org/docs/2.4/mod/mod_status.html), or a number in its JSON.
 * A server that is gone has none. After `limitSeconds` evidence is inconclusive; what follows is `onLimit`'s word.
 */
export function sessionsEnded(
  aws: Pick<Aws, "instanceStatuses">,
  sessions: SessionsConfig,
  { name, instanceId, privateIp }: Frontend,
  { hostname, port }: Pick<Outputs, "hostname"> & { port: number },
): Gate {
  const question = { protocol: "http", address: privateIp, port, host: hostname, path: sessions.path } as const;
  let quietSince: number | undefined;
  return {
    name: `sessions ended: ${name}`,
    patienceSeconds: sessions.limitSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const since = quietSince;
      quietSince = undefined;
      const answer = await ask(question, signal).catch(async (error) => {
        if (await isGone(aws, instanceId, signal)) return undefined;
        throw error;
      });
      if (answer === undefined) return { verdict: "pass", evidence: { gone: instanceId } };
      const active = activeSessions(answer.body, sessions);
      if (active > sessions.atMost) return { verdict: "pending", evidence: { active } };
      quietSince = since ?? performance.now();
      const quietSeconds = (performance.now() - quietSince) / 1000;
      const verdict = quietSeconds >= sessions.quietSeconds ? "pass" : "pending";
      return { verdict, evidence: { active, quietSeconds: Math.floor(quietSeconds) } };
    },
  };
}

/** The same for servers that come and go together: those of an array, at each look. */
export function sessionsEndedOnAll(
  name: string,
  { limitSeconds }: SessionsConfig,
  servers: (signal: AbortSignal) => Promise<readonly Frontend[]>,
  gateOf: (server: Frontend) => Gate,
): Gate {
  const gates = new Map<string, Gate>();
  return {
    name: `sessions ended: ${name}`,
    patienceSeconds: limitSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const seen = await Promise.all(
        (await servers(signal)).map(async (server) => {
          const gate = gates.get(server.instanceId) ?? gateOf(server);
          gates.set(server.instanceId, gate);
          return { name: server.name, ...(await gate.observe(signal)) };
        }),
      );
      const missed = seen.filter(({ verdict }) => verdict !== "pass").map(({ name, evidence }) => ({ name, evidence }));
      if (missed.length === 0) return { verdict: "pass", evidence: { servers: seen.length } };
      return { verdict: "pending", evidence: { missed: missed.slice(0, 10) } };
    },
  };
}

async function isGone(aws: Pick<Aws, "instanceStatuses">, instanceId: string, signal: AbortSignal): Promise<boolean> {
  const state = (await aws.instanceStatuses([instanceId], signal)).get(instanceId)?.InstanceState?.Name;
  return state === undefined || state === "shutting-down" || state === "terminated";
}

function activeSessions(body: string, { field, json, path }: SessionsConfig): number {
  const found = json === undefined ? lineOf(body, field ?? "") : valueAt(body, json);
  const count = typeof found === "number" ? found : Number.parseFloat(String(found));
  if (Number.isFinite(count)) return count;
  const wanted = json === undefined ? `line "${field}: <number>"` : `number ${json}`;
  throw new Error(`the status page ${path} has no ${wanted}`);
}

function lineOf(body: string, field: string): string | undefined {
  const line = body.split("\n").find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}
