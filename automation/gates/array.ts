import type { ArrayConfig } from "../../stacks/config/array-schema.ts";
import type { UpgradeConfig } from "../../stacks/config.ts";
import type { ArrayOutputs, Frontend, Targets } from "../../stacks/outputs.ts";
import { Absence, absentSeconds } from "../cloud/absence.ts";
import { notCarriedOver } from "../cloud/array-extras.ts";
import type { Aws } from "../cloud/aws.ts";
import { ofEntry, type Servers } from "./context.ts";
import type { Gate, Observation } from "./gate.ts";

type Groups = readonly Pick<Targets, "entry" | "targetGroupArn">[];

/** Reads a server's health over all target groups: the first that is no good one, by its entry. */
async function targetStates(
  aws: Pick<Aws, "targetHealth">,
  groups: Groups,
  good: readonly string[],
  signal: AbortSignal,
) {
  const each = await Promise.all(
    groups.map(async ({ entry, targetGroupArn }) => [entry, await aws.targetHealth(targetGroupArn, signal)] as const),
  );
  return (instanceId: string) => {
    const states = each.map(([entry, health]) => {
      return { entry, state: health.get(instanceId)?.TargetHealth?.State ?? "not registered" };
    });
    const bad = states.find(({ state }) => !good.includes(state));
    return bad === undefined ? "healthy" : ofEntry(bad.state, bad.entry);
  };
}

/** The array has as many servers in service as autoscaling wants, and the load balancer finds every one healthy. */
export function arrayInService(aws: Aws, generation: string, { name }: ArrayOutputs, groups: Groups): Gate {
  return {
    name: `array in service: ${generation}`,
    async observe(signal) {
      const [array, stateOf] = await Promise.all([
        aws.arrays.find(name, signal),
        targetStates(aws, groups, ["healthy"], signal),
      ]);
      if (array === undefined) return missing(name);
      const { desiredCapacity, servers } = array;
      const states = servers.map(({ instanceId, lifecycleState }) => {
        return { instanceId, lifecycleState, target: stateOf(instanceId) };
      });
      const missed = states.filter(
        ({ lifecycleState, target }) => lifecycleState !== "InService" || target !== "healthy",
      );
      const inService = states.length - missed.length;
      if (missed.length === 0 && inService >= desiredCapacity) return { verdict: "pass", evidence: { inService } };
      return { verdict: "pending", evidence: { desiredCapacity, inService, missed: missed.slice(0, 10) } };
    },
  };
}

/** No server of the array fails, while autoscaling may add some that are still on their way, or take some away. */
export function arrayServes(aws: Aws, generation: string, { name }: ArrayOutputs, groups: Groups): Gate {
  return {
    name: `array serves: ${generation}`,
    async observe(signal) {
      const [array, stateOf] = await Promise.all([
        aws.arrays.find(name, signal),
        targetStates(aws, groups, ["healthy", "initial"], signal),
      ]);
      if (array === undefined) return missing(name);
      const inService = array.servers.filter(({ lifecycleState }) => lifecycleState === "InService");
      const states = inService.map(({ instanceId, healthy }) => ({
        instanceId,
        target: healthy ? stateOf(instanceId) : "unhealthy to the array",
      }));
      const missed = states.filter(({ target }) => target !== "healthy");
      const servers = { desiredCapacity: array.desiredCapacity, inService: inService.length };
      if (missed.length === 0 && (inService.length > 0 || array.desiredCapacity === 0)) {
        return { verdict: "pass", evidence: servers };
      }
      return { verdict: "pending", evidence: { ...servers, missed: missed.slice(0, 10) } };
    },
  };
}

/** What is told does not change by itself. */
const patienceSeconds = 10;

/** The next array will have what this one has, as far as anybody made it by hand. */
export function arrayCarriedOver(
  aws: Pick<Aws, "arrays">,
  carried: {
    readonly generation: string;
    readonly array: ArrayOutputs;
    readonly declared: readonly [ArrayConfig, ArrayConfig];
  },
  { gateSeconds, arrayMayLose }: Pick<UpgradeConfig, "gateSeconds" | "arrayMayLose">,
): Gate {
  return {
    name: `array carried over: ${carried.generation}`,
    patienceSeconds: Math.min(patienceSeconds, gateSeconds),
    whenOver: "inconclusive",
    async observe(signal) {
      const found = await aws.arrays.describe(carried.array.name, signal);
      if (found === undefined) return { verdict: "pending", evidence: { array: "missing", name: carried.array.name } };
      const lost = notCarriedOver(found, carried.declared, arrayMayLose);
      if (lost.length === 0) return { verdict: "pass", evidence: { lost } };
      const way = "declare them in the new generation's array, or name them in handover:upgrade.arrayMayLose";
      return { verdict: "pending", evidence: { lost, way } };
    },
  };
}

/** AWS shows all of some processes as suspended, and none of others. */
export function processesSuspended(
  aws: Aws,
  generation: string,
  { name }: ArrayOutputs,
  expected: { readonly all?: readonly string[]; readonly none?: readonly string[] },
): Gate {
  return {
    name: `array's processes: ${generation}`,
    async observe(signal) {
      const array = await aws.arrays.find(name, signal);
      if (array === undefined) return missing(name);
      const suspended = array.suspendedProcesses;
      const active = (expected.all ?? []).filter((process) => !suspended.includes(process));
      const unwanted = (expected.none ?? []).filter((process) => suspended.includes(process));
      const verdict = active.length + unwanted.length === 0 ? "pass" : "pending";
      return { verdict, evidence: { suspended: [...suspended].sort(), missing: active, unwanted } };
    },
  };
}

/** What AWS does not find may be there: it has failed only when time is over. */
function missing(name: string): Observation {
  return { verdict: "pending", evidence: { array: "missing", name } };
}

/** A gate over the servers that an array has at each look. */
export function overArray(servers: Servers, gateOver: (servers: readonly Frontend[]) => Gate): Gate {
  const empty = gateOver([]);
  return {
    ...empty,
    name: `${empty.name} (array)`,
    async observe(signal) {
      return gateOver(await servers(signal)).observe(signal);
    },
  };
}

/** Every server of the array that is not terminated. */
export function allServers(aws: Aws, { name }: ArrayOutputs): Servers {
  return (signal) => aws.arrays.servers([name], signal);
}

/** The servers that autoscaling neither launches nor takes away. @throws while AWS does not show one of them */
export function serversInService(aws: Aws, { name }: ArrayOutputs): Servers {
  return async (signal) => {
    const servers = (await aws.arrays.find(name, signal))?.servers ?? [];
    const inService = servers.filter(({ lifecycleState }) => lifecycleState === "InService");
    const shown = await aws.arrays.byId(inService, signal);
    const hidden = inService.find((own) => shown.every(({ instanceId }) => instanceId !== own.instanceId));
    if (hidden !== undefined) throw new Error(`AWS does not show ${hidden.instanceId}, which is in service.`);
    return shown;
  };
}

/**
 * The servers of arrays that are gone are terminated. They are known by their tags only, which AWS shows late, so for a
 * while none must be found.
 * @param seconds of that while
 */
export function arrayServersGone(aws: Aws, names: readonly string[], seconds = absentSeconds): Gate {
  const absence = new Absence();
  return {
    name: "array's servers gone",
    whenOver: "inconclusive",
    async observe(signal) {
      const left = (await aws.arrays.servers(names, signal)).map(({ instanceId }) => instanceId);
      const verdict = absence.isProven(left.length === 0, seconds) ? "pass" : "pending";
      return { verdict, evidence: { left: left.slice(0, 10) } };
    },
  };
}
