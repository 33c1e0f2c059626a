import type { SessionsConfig } from "../../stacks/config/checks.ts";
import type { Frontend } from "../../stacks/outputs.ts";
import { allServers } from "./array.ts";
import type { GateContext, Servers } from "./context.ts";
import type { Gate } from "./gate.ts";
import { lookEverySeconds } from "./metrics.ts";
import { inCloudWatch, onStatusPage, type SessionCount } from "./session-count.ts";

/** One gate for each old server that is left, and one for its array, so that a long session holds its own server only. */
export function sessionGates({ aws, config, after, from }: GateContext): Map<string, Gate> {
  const generation = after.generations[from];
  const { sessions } = config.upgrade;
  if (sessions === undefined || generation === undefined) return new Map();
  const { frontends, array, port } = generation;
  const countOf = (server: Frontend): SessionCount =>
    sessions.cloudWatch === undefined
      ? onStatusPage(aws, sessions, server, { protocol: "http", address: server.privateIp, port, host: after.hostname })
      : inCloudWatch(aws, sessions, sessions.cloudWatch, server);
  const gateOf = (server: Frontend) => sessionsEnded(server, sessions, countOf(server));
  const gates = new Map(frontends.map((frontend) => [frontend.name, gateOf(frontend)]));
  if (array === undefined) return gates;
  return gates.set(`${from} array`, sessionsEndedOnAll(`${from} array`, sessions, allServers(aws, array), gateOf));
}

/**
 * One old server has no active sessions for `quietSeconds`. A server that is gone has none. After `limitSeconds` evidence
 * is inconclusive; what follows is `onLimit`'s word.
 */
export function sessionsEnded({ name, instanceId }: Frontend, sessions: SessionsConfig, count: SessionCount): Gate {
  return {
    ...gateOver(name, sessions),
    async observe(signal) {
      const seen = await count(signal);
      if (seen === "gone") return { verdict: "pass", evidence: { gone: instanceId } };
      if (seen === undefined) return { verdict: "pending", evidence: { active: "not known yet" } };
      const { active, quietSeconds } = seen;
      if (quietSeconds === undefined) return { verdict: "pending", evidence: { active } };
      const verdict = quietSeconds >= sessions.quietSeconds ? "pass" : "pending";
      return { verdict, evidence: { active, quietSeconds: Math.floor(quietSeconds) } };
    },
  };
}

/** The same for servers that come and go together: those of an array, at each look. */
export function sessionsEndedOnAll(
  name: string,
  sessions: SessionsConfig,
  servers: Servers,
  gateOf: (server: Frontend) => Gate,
): Gate {
  const gates = new Map<string, Gate>();
  return {
    ...gateOver(name, sessions),
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

function gateOver(name: string, { limitSeconds, cloudWatch }: SessionsConfig): Omit<Gate, "observe"> {
  return {
    name: `sessions ended: ${name}`,
    patienceSeconds: limitSeconds,
    whenOver: "inconclusive",
    ...(cloudWatch !== undefined && { everySeconds: lookEverySeconds(cloudWatch) }),
  };
}
