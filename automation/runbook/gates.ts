import type { Row } from "../../stacks/runbook.ts";
import type { Gate } from "../gates/gate.ts";
import { generationOf, type Scene } from "../gates/scene.ts";
import { snapshotCompleted } from "../gates/snapshot.ts";
import { arrayResumed, arrayServing, arraySuspended, arrayWorks } from "./array.ts";
import { addressesWork, drained, gone, healthy, publicSmoke, serversAnswer, serversWork } from "./servers.ts";
import { suites } from "./suites.ts";
import { watched } from "./watched.ts";

export interface RowGates {
  /** Must pass once. */
  readonly hold: readonly Gate[];
  /** Must then keep passing for a time. */
  readonly watch?: { readonly gates: readonly Gate[]; readonly seconds: number };
}

/** Going back from `drain`: the stack of `observe` again, in which the old servers are registered. */
export const readmit = "readmit";

/** Rows of the runbook, the way back, and the update that leaves one generation alone. */
export type GatedRow = Row | typeof readmit | "settle";

/** What must hold before the run goes on from a row. */
export function gatesOf(row: GatedRow, scene: Scene): RowGates {
  const { config, after, from, to } = scene;
  switch (row) {
    case "backup":
      return { hold: snapshotTaken(scene) };
    case "migrate":
      return { hold: [] };
    case "launch-first":
    case "launch-rest":
      return {
        hold: [...serversWork(scene, to), ...suites(row, scene, to)],
        // Servers that die soon after their start do so before they get traffic.
        ...(isComplete(scene, to) && {
          watch: { gates: serversAnswer(scene, to), seconds: config.upgrade.stableSeconds },
        }),
      };
    case "connect": {
      const gates = [healthy(scene, to), publicSmoke(scene)];
      return { hold: gates, watch: { gates: [...gates, ...watched(scene)], seconds: config.upgrade.stepSeconds } };
    }
    case "suspend-array":
      return { hold: [...arraySuspended(scene, from), ...arrayWorks(scene, to), ...suites(row, scene, to)] };
    case "move-addresses":
      return { hold: [...addressesWork(scene, to), ...suites(row, scene, to)] };
    case "resume-array":
      return { hold: [...arrayResumed(scene, to), ...arrayServing(scene, to)] };
    case "observe": {
      const gates = [
        healthy(scene, to),
        publicSmoke(scene, to),
        ...addressesWork(scene, to),
        ...arrayServing(scene, to),
      ];
      // A client that is still stuck to the old generation would be refused once that has no servers.
      const seconds = Math.max(config.upgrade.bakeSeconds, config.site.loadBalancer.stickinessSeconds);
      return { hold: [...gates, ...suites(row, scene, to)], watch: { gates: [...gates, ...watched(scene)], seconds } };
    }
    case "drain":
      return { hold: drained(scene, from) };
    case "retire":
      return { hold: gone(scene) };
    case readmit:
      return { hold: [healthy(scene, from), ...arrayServing(scene, from)] };
    case "withdraw":
      return {
        hold: [publicSmoke(scene), ...addressesWork(scene, from), ...drained(scene, to), ...arrayServing(scene, from)],
      };
    case "settle": {
      // Outside a run everything is looked at as if it were new: in a first deployment it is.
      const outsideRun = from === to;
      return {
        hold: [
          ...serversWork(scene, after.live),
          ...(outsideRun ? arrayWorks(scene, to) : arrayServing(scene, after.live)),
          publicSmoke(scene, after.live),
          ...addressesWork(scene, after.live),
          ...gone(scene),
          ...(outsideRun ? suites(row, scene, to) : []),
        ],
      };
    }
  }
}

/**
 * What must hold right before a row is applied: new servers take over, and old ones leave, only while every new one
 * serves. The gates of the row before have passed, but that may be days ago when a run was paused.
 */
export function gatesBefore(row: GatedRow, scene: Scene): RowGates {
  switch (row) {
    case "connect":
    case "move-addresses":
      return { hold: [healthy(scene, scene.to)] };
    case "observe":
    case "drain":
    case "retire":
      return { hold: [healthy(scene, scene.to), ...arrayServing(scene, scene.to)] };
    default:
      return { hold: [] };
  }
}

function snapshotTaken({ aws, config, after, stack, id }: Scene): Gate[] {
  const { snapshot } = after;
  if (snapshot === null) return [];
  return [snapshotCompleted(aws.snapshots, snapshot, { stack, run: id, database: config.site.database })];
}

function isComplete({ config, after }: Scene, name: string): boolean {
  return generationOf(after, name).frontends.length === config.generations[name]?.frontends;
}
