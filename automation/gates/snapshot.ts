import type { Outputs } from "../../stacks/outputs.ts";
import type { Aws } from "../aws.ts";
import type { Gate } from "./gate.ts";

/** The run's snapshot is complete: EBS `completed`, RDS `available`. */
export function snapshotCompleted(aws: Aws, snapshot: NonNullable<Outputs["snapshot"]>): Gate {
  const done = snapshot.kind === "ebs" ? "completed" : "available";
  return {
    name: "snapshot completed",
    async observe(signal) {
      const state = await aws.snapshotState(snapshot, signal);
      const failed = ["error", "failed", "missing"].includes(state);
      return { verdict: state === done ? "pass" : failed ? "fail" : "pending", evidence: { id: snapshot.id, state } };
    },
  };
}
