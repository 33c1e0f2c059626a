import type { Frontend, Targets } from "../../stacks/outputs.ts";
import { Absence } from "../cloud/absence.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Gate } from "./gate.ts";

/** Servers in a target group. */
export interface Group extends Pick<Targets, "entry" | "targetGroupArn"> {
  readonly servers: readonly Frontend[];
}

/** The load balancer finds every one of the servers healthy, in every group. */
export function targetsHealthy(aws: Pick<Aws, "targetHealth">, name: string, groups: readonly Group[]): Gate {
  return {
    name: `targets healthy: ${name}`,
    async observe(signal) {
      const each = groups.map(async ({ entry, targetGroupArn, servers }) => {
        const health = await aws.targetHealth(targetGroupArn, signal);
        return servers.map((server) => {
          const target = health.get(server.instanceId)?.TargetHealth;
          const state = { state: target?.State ?? "not registered", reason: target?.Reason ?? "" };
          return { name: server.name, ...(entry !== undefined && { entry }), ...state };
        });
      });
      const states = (await Promise.all(each)).flat();
      const missed = states.filter(({ state }) => state !== "healthy");
      if (missed.length === 0) return { verdict: "pass", evidence: { healthy: states.length } };
      return { verdict: "pending", evidence: { missed: missed.slice(0, 10) } };
    },
  };
}

/** The targets that have left their groups. One that was never seen there may only not be shown yet: see `Absence`. */
export class Departures {
  readonly #seen = new Set<string>();
  readonly #absences = new Map<string, Absence>();
  readonly #seconds: number;

  /** @param seconds for which it must not be shown then */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** @param target a server in one group */
  hasLeft(target: string, isShown: boolean): boolean {
    if (isShown) this.#seen.add(target);
    if (this.#seen.has(target)) return !isShown;
    const absence = this.#absences.get(target) ?? new Absence();
    this.#absences.set(target, absence);
    return absence.isProven(true, this.#seconds);
  }
}

/**
 * The load balancer has finished with the servers: the deregistration delay is over, in every group.
 * @param departures what was seen so far
 */
export function targetsDrained(
  aws: Aws,
  name: string,
  groups: readonly Pick<Group, "targetGroupArn">[],
  servers: readonly Frontend[],
  patienceSeconds: number,
  departures = new Departures(aws.absentSeconds),
): Gate {
  return {
    name: `draining over: ${name}`,
    patienceSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const each = groups.map(async ({ targetGroupArn }) => {
        const health = await aws.targetHealth(targetGroupArn, signal);
        return servers
          .filter(({ instanceId: id }) => !departures.hasLeft(`${targetGroupArn} ${id}`, health.has(id)))
          .map((server) => server.name);
      });
      const left = [...new Set((await Promise.all(each)).flat())];
      return { verdict: left.length === 0 ? "pass" : "pending", evidence: { draining: left } };
    },
  };
}
