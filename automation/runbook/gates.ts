import { longestStickinessSeconds } from "../../stacks/config/entry-schema.ts";
import { arrayCarriedOver } from "../gates/array.ts";
import { type GateContext, generationOf } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { snapshotCompleted } from "../gates/snapshot.ts";
import { noOtherWayIn, testHostAlone } from "../gates/ways-in.ts";
import { addressesMoved, addressesWork } from "./addresses.ts";
import { arrayResumed, arrayServing, arraySuspended, arrayWorks } from "./array.ts";
import { probed } from "./probed.ts";
import type { Row } from "./rows.ts";
import {
  drained,
  gone,
  healthy,
  newEntriesAnswered,
  publicSmoke,
  serversAnswer,
  serversWork,
  sharedSmoke,
  throughTestHost,
  wayOut,
  weightsEverywhere,
} from "./servers.ts";
import { suites } from "./suites.ts";
import { watched } from "./watched.ts";

export interface RowGates {
  /** Must pass before anything else is asked. */
  readonly first?: readonly Gate[];
  /** Must pass once. */
  readonly hold: readonly Gate[];
  /** Must then keep passing for a time. */
  readonly watch?: { readonly gates: readonly Gate[]; readonly seconds: number };
}

/** Gates that must hold before the run goes on from a row. */
export function gatesOf(row: Row, context: GateContext): RowGates {
  const { config, after, from, to } = context;
  switch (row) {
    case "backup":
      return { hold: snapshotTaken(context) };
    case "migrate":
      return { hold: [] };
    case "launch-first":
    case "launch-rest":
      return {
        hold: [...serversWork(context, to), ...wayOut(context, to), ...suites(row, context, to)],
        // Servers that die soon after their start do so before they get traffic.
        ...(isComplete(context, to) && {
          watch: { gates: serversAnswer(context, to), seconds: config.upgrade.stableSeconds },
        }),
      };
    case "connect": {
      const gates = [healthy(context, to), ...sharedSmoke(context)];
      const comparing = [...watched(context), ...probed(context)];
      return { hold: gates, watch: { gates: [...gates, ...comparing], seconds: config.upgrade.stepSeconds } };
    }
    case "suspend-array":
      return { hold: [...arraySuspended(context, from), ...arrayWorks(context, to), ...suites(row, context, to)] };
    case "move-addresses": {
      return {
        hold: [
          ...(isAlone(context) ? publicSmoke(context, to) : []),
          ...addressesMoved(context, to),
          ...wayOut(context, to),
          ...suites(row, context, to),
        ],
        watch: { gates: probed(context), seconds: 0 },
      };
    }
    case "resume-array":
      return { hold: [...arrayResumed(context, to), ...arrayServing(context, to)] };
    case "observe": {
      const gates = [
        healthy(context, to),
        ...publicSmoke(context, to),
        ...addressesWork(context, to),
        ...arrayServing(context, to),
      ];
      // A client that is still stuck to the old generation would be refused once that has no servers.
      const seconds = Math.max(config.upgrade.bakeSeconds, longestStickinessSeconds(config.site));
      return {
        first: weightsEverywhere(context, from, to),
        hold: [...gates, ...suites(row, context, to)],
        watch: { gates: [...gates, ...watched(context), ...probed(context)], seconds },
      };
    }
    case "drain":
      return { hold: drained(context, from) };
    case "retire":
      return { hold: [...gone(context), ...addressesWork(context, to)] };
    case "readmit":
      return { hold: [healthy(context, from), ...throughTestHost(context, from), ...arrayServing(context, from)] };
    case "withdraw":
      return {
        first: weightsEverywhere(context, to, from),
        hold: [
          ...publicSmoke(context, from),
          ...addressesWork(context, from),
          ...(generationOf(after, to).registered ? [] : drained(context, to)),
          ...arrayServing(context, from),
        ],
      };
    case "settle": {
      // Outside a run everything is looked at as if it were new: in a first deployment it is.
      const outsideRun = from === to;
      return {
        hold: [
          ...serversWork(context, after.live),
          ...(outsideRun ? arrayWorks(context, to) : arrayServing(context, after.live)),
          ...publicSmoke(context, after.live),
          ...addressesWork(context, after.live),
          ...gone(context),
          ...(outsideRun ? suites(row, context, to) : []),
        ],
      };
    }
  }
}

/**
 * Gates that must hold right before a row is applied: new servers take over, and old ones leave, only while every new one
 * serves. The gates of the row before have passed, but that may be days ago when a run was paused.
 */
export function gatesBefore(row: Row, context: GateContext): RowGates {
  switch (row) {
    case "connect":
      return { hold: [healthy(context, context.to), ...throughTestHost(context, context.to)] };
    case "launch-first":
      return { hold: [testHostAlone(context.aws, context.after, context.config.upgrade.gateSeconds)] };
    case "move-addresses":
      return {
        // Before an address leaves, its old server has no traffic on any node.
        first: isAlone(context) ? weightsEverywhere(context, context.from, context.to) : [],
        hold: [healthy(context, context.to), ...arrayServing(context, context.to)],
      };
    case "observe":
      return { hold: [healthy(context, context.to), ...arrayServing(context, context.to)] };
    case "drain":
    case "retire":
      return {
        hold: [
          healthy(context, context.to),
          ...arrayServing(context, context.to),
          ...(context.from in context.after.generations ? [otherWays(context, context.from)] : []),
        ],
      };
    case "backup":
    case "migrate":
    case "launch-rest":
    case "resume-array":
    case "readmit":
    case "withdraw":
      return { hold: [] };
    case "settle":
      return { hold: context.from === context.to ? newEntriesAnswered(context) : [] };
    case "suspend-array":
      return { hold: carriedOver(context) };
  }
}

/** Whether the new generation has all the traffic. */
function isAlone({ after, from }: GateContext): boolean {
  return after.generations[from]?.weight === 0;
}

function snapshotTaken({ aws, config, after, id }: GateContext): Gate[] {
  const { snapshot } = after;
  if (snapshot === null) return [];
  return [
    snapshotCompleted(aws.snapshots, snapshot, { site: after.ledgerTable, run: id, database: config.site.database }),
  ];
}

/** Of an array that is followed by one. */
function carriedOver({ aws, after, config: { generations, upgrade }, from, to }: GateContext): Gate[] {
  const { array } = generationOf(after, from);
  const [old, next] = [generations[from]?.array, generations[to]?.array];
  if (array === undefined || old === undefined || next === undefined) return [];
  return [arrayCarriedOver(aws, { generation: from, array, declared: [old, next] }, upgrade)];
}

function otherWays({ aws, after, config }: GateContext, name: string): Gate {
  return noOtherWayIn(aws, after, name, config.upgrade.gateSeconds);
}

function isComplete({ config, after }: GateContext, name: string): boolean {
  return generationOf(after, name).frontends.length === config.generations[name]?.frontends;
}
