import type { Outputs } from "../../stacks/outputs.ts";
import { runOf } from "../../stacks/tags.ts";
import { type Database, isComplete, type Snapshots } from "../cloud/snapshots.ts";
import type { Gate } from "./gate.ts";

export interface Expected {
  /** See `siteName`. */
  readonly site: string;
  /** The run's id. */
  readonly run: string;
  readonly database: Database | undefined;
}

/**
 * The run's snapshot is complete (EBS `completed`, RDS `available`), as large as what it is of, and tagged with the site
 * and the run. One that was taken by hand, before the run, has no run's tag.
 */
export function snapshotCompleted(
  snapshots: Pick<Snapshots, "find" | "sizeOf">,
  snapshot: NonNullable<Outputs["snapshot"]>,
  { site: own, run, database }: Expected,
): Gate {
  return {
    name: "snapshot completed",
    async observe(signal) {
      const found = await snapshots.find(snapshot, signal);
      const { id } = snapshot;
      // AWS may not find it yet, or not show its tags.
      if (found === undefined) return { verdict: "pending", evidence: { id, state: "missing" } };
      const { state, sizeGigabytes } = found;
      if (["error", "failed"].includes(state)) return { verdict: "fail", evidence: { id, state } };
      if (!isComplete(found)) return { verdict: "pending", evidence: { id, state } };
      const expectedGigabytes = database === undefined ? undefined : await snapshots.sizeOf(database, signal);
      if (Object.keys(found.tags).length === 0) return { verdict: "pending", evidence: { id, state, tags: "none" } };
      const [site, ofRun] = [found.tags["handover:site"], runOf(found.tags)];
      const isRight = sizeGigabytes === expectedGigabytes && site === own && (ofRun ?? run) === run;
      return {
        verdict: isRight ? "pass" : "fail",
        evidence: { id, state, sizeGigabytes, expectedGigabytes, site, run: ofRun },
      };
    },
  };
}
