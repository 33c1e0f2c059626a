import type { Frontend } from "../../stacks/outputs.ts";
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

/** The load balancer has finished with the servers: the deregistration delay is over. */
export function targetsDrained(
  aws: Aws,
  name: string,
  targetGroupArn: string,
  frontends: readonly Frontend[],
  patienceSeconds: number,
): Gate {
  return {
    name: `draining over: ${name}`,
    patienceSeconds,
    whenOver: "inconclusive",
    async observe(signal) {
      const health = await aws.targetHealth(targetGroupArn, signal);
      const left = frontends.filter(({ instanceId }) => health.has(instanceId)).map((frontend) => frontend.name);
      return { verdict: left.length === 0 ? "pass" : "pending", evidence: { draining: left } };
    },
  };
}
