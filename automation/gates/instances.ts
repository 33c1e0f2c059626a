import type { Frontend } from "../../stacks/outputs.ts";
import { Absence } from "../cloud/absence.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Gate } from "./gate.ts";

/** The servers run, and both of EC2's status checks are ok. */
export function instancesOk(aws: Aws, frontends: readonly Frontend[]): Gate {
  return {
    name: "instance status",
    async observe(signal) {
      const statuses = await aws.instanceStatuses(
        frontends.map(({ instanceId }) => instanceId),
        signal,
      );
      const states = frontends.map(({ name, instanceId }) => {
        const status = statuses.get(instanceId);
        return {
          name,
          instanceId,
          state: status?.InstanceState?.Name ?? "missing",
          instance: status?.InstanceStatus?.Status ?? "unknown",
          system: status?.SystemStatus?.Status ?? "unknown",
        };
      });
      const missed = states.filter(
        (state) => state.state !== "running" || state.instance !== "ok" || state.system !== "ok",
      );
      if (missed.length === 0) return { verdict: "pass", evidence: { running: states.length } };
      const gone = missed.some(({ state }) => ["shutting-down", "terminated", "stopping", "stopped"].includes(state));
      const impaired = missed.some(({ instance, system }) => instance === "impaired" || system === "impaired");
      return {
        verdict: gone || impaired ? "fail" : "pending",
        // AWS says of these that it cannot say.
        unproven: missed.every((state) => state.state === "running" && !isKnown(state)),
        evidence: { missed: missed.slice(0, 10) },
      };
    },
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatusSummary.html */
function isKnown({ instance, system }: { readonly instance: string; readonly system: string }): boolean {
  return ![instance, system].some((status) => ["insufficient-data", "unknown"].includes(status));
}

/** The servers are terminated. One that is not found at all must not be for a while: see `Absence`. */
export function instancesGone(aws: Aws, frontends: readonly Frontend[]): Gate {
  const absences = new Map(frontends.map(({ instanceId }) => [instanceId, new Absence()]));
  return {
    name: "servers gone",
    whenOver: "inconclusive",
    async observe(signal) {
      const ids = [...absences.keys()];
      const statuses = await aws.instanceStatuses(ids, signal);
      const left = ids.filter((id) => {
        const state = statuses.get(id)?.InstanceState?.Name;
        const isAbsent = absences.get(id)?.isProven(state === undefined) === true;
        return state !== "terminated" && !isAbsent;
      });
      return { verdict: left.length === 0 ? "pass" : "pending", evidence: { left } };
    },
  };
}
