import type { Frontend } from "../../stacks/outputs.ts";
import { Absence } from "../cloud/absence.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Gate } from "./gate.ts";

/** The load balancer finds every one of the servers healthy. */
export function targetsHealthy(aws: Aws, name: string, targetGroupArn: string, frontends: readonly Frontend[]): Gate {
  return {
    name: `targets healthy: ${name}`,
    async observe(signal) {
      const health = await aws.targetHealth(targetGroupArn, signal);
      const states = frontends.map((frontend) => {
        const target = health.get(frontend.instanceId)?.TargetHealth;
        return { name: frontend.name, state: target?.State ?? "not registered", reason: target?.Reason ?? "" };
      });
      const missed = states.filter(({ state }) => state !== "healthy");
      if (missed.length === 0) return { verdict: "pass", evidence: { healthy: states.length } };
      return { verdict: "pending", evidence: { missed: missed.slice(0, 10) } };
    },
  };
}

/** The servers that have left a target group. One that was never seen there may only not be shown yet: see `Absence`. */
export class Departures {
  readonly #seen = new Set<string>();
  readonly #absences = new Map<string, Absence>();
  readonly #seconds: number;

  /** @param seconds for which it must not be shown then */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  hasLeft(instanceId: string, isShown: boolean): boolean {
    if (isShown) this.#seen.add(instanceId);
    if (this.#seen.has(instanceId)) return !isShown;
    const absence = this.#absences.get(instanceId) ?? new Absence();
    this.#absences.set(instanceId, absence);
    return absence.isProven(true, this.#seconds);
  }
}

/**
 * The load balancer has finished with the servers: the deregistration delay is over.
 * @param departures what was seen so far
 */
export function targetsDrained(
  aws: Aws,
  name: string,
  targetGroupArn: string,
  frontends: readonly Frontend[],
  patienceSeconds: number,
  departures = new Departures(aws.absentSeconds),
): Gate {
  return {
    name: `draining over: ${name}`,
    patienceSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const health = await aws.targetHealth(targetGroupArn, signal);
      const left = frontends
        .filter(({ instanceId }) => !departures.hasLeft(instanceId, health.has(instanceId)))
        .map((frontend) => frontend.name);
      return { verdict: left.length === 0 ? "pass" : "pending", evidence: { draining: left } };
    },
  };
}
