import { targetsOf } from "../../stacks/outputs.ts";
import { allThatScales } from "../../stacks/scaling-processes.ts";
import { arrayInService, arrayServes, overArray, processesSuspended, serversInService } from "../gates/array.ts";
import { type GateContext, generationOf, wasBad } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { instancesOk } from "../gates/instances.ts";
import { once } from "../gates/once.ts";
import { smokeOnServers } from "./servers.ts";

/** Gates over a generation's array; none where it has no array. */

export function arrayServing(context: GateContext, name: string): Gate[] {
  const generation = generationOf(context.after, name);
  const { array } = generation;
  if (array === undefined || wasBad(context, "array", array.name)) return [];
  return [arrayServes(context.aws, name, array, targetsOf(generation))];
}

/** The array's servers pass what frontends do. */
export function arrayWorks(context: GateContext, name: string): Gate[] {
  const { aws, after } = context;
  const generation = generationOf(after, name);
  const { array } = generation;
  if (array === undefined) return [];
  const inService = arrayInService(aws, name, array, targetsOf(generation));
  const servers = serversInService(aws, array);
  return [
    inService,
    once(
      inService,
      overArray(servers, (all) => instancesOk(aws, all)),
    ),
    ...targetsOf(generation).map((targets) =>
      once(
        inService,
        overArray(servers, (all) => smokeOnServers(context, { name, targets, servers: all, standIn: inService })),
      ),
    ),
  ];
}

export function arraySuspended({ aws, after }: GateContext, name: string): Gate[] {
  const { array } = generationOf(after, name);
  return array?.intent === "suspended" ? [processesSuspended(aws, name, array, { all: allThatScales })] : [];
}

export function arrayResumed({ aws, after }: GateContext, name: string): Gate[] {
  const { array } = generationOf(after, name);
  if (array === undefined) return [];
  const { suspendedByOperator = [] } = array;
  const none = allThatScales.filter((process) => !suspendedByOperator.includes(process));
  return [processesSuspended(aws, name, array, { all: suspendedByOperator, none })];
}
