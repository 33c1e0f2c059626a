import { types } from "../../stacks/names.ts";
import { type Outputs, targetsOf } from "../../stacks/outputs.ts";
import { lasting } from "../cloud/absence.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Deployment } from "../engine/deployment.ts";
import { testHostOf } from "../gates/ways-in.ts";

/** Something that AWS does not show as the stack's last update left it. */
export interface Missing {
  readonly kind: "ended" | "stopped" | "starting" | "deregistered" | "moved" | "no-array" | "no-rule";
  /** Name of the server or the array, or the address. */
  readonly name: string;
  /** Its id in AWS, by which the state knows what belongs to it. */
  readonly id: string;
  /** Undefined for an address. */
  readonly generation?: string;
  readonly says: string;
}

const ended = ["shutting-down", "terminated"];
const stopped = ["stopping", "stopped"];

/** Whether the resource is still there, so that the state is right about it. */
export function isThere({ kind }: Missing): boolean {
  return kind === "stopped" || kind === "starting";
}

type Reads = Pick<Aws, "absentSeconds" | "instanceStatuses" | "targetHealth" | "addressHolders"> & {
  readonly arrays: Pick<Aws["arrays"], "find">;
};

/**
 * Compares the last update's outputs with AWS: what somebody ended, stopped, deregistered, moved or deleted since. It looks
 * again, since AWS may show what was just changed as it was before.
 */
export async function missingFrom(
  aws: Reads,
  outputs: Pick<Outputs, "generations" | "addresses">,
  signal?: AbortSignal,
): Promise<readonly Missing[]> {
  let starting: readonly Missing[] = [];
  const look = async () => {
    const now = await missingNow(aws, outputs, signal);
    starting = now.filter(({ kind }) => kind === "starting");
    return now.filter(({ kind }) => kind !== "starting");
  };
  const missing = await lasting(look, ({ kind, id }) => `${kind} ${id}`, aws.absentSeconds, signal);
  return [...missing, ...starting];
}

async function missingNow(
  aws: Reads,
  { generations, addresses }: Pick<Outputs, "generations" | "addresses">,
  signal?: AbortSignal,
): Promise<readonly Missing[]> {
  const servers = Object.values(generations).flatMap(({ frontends }) => frontends);
  const ids = servers.map(({ instanceId }) => instanceId);
  const allocations = addresses.map(({ allocationId }) => allocationId);
  const [statuses, holders, each] = await Promise.all([
    aws.instanceStatuses(ids, signal),
    aws.addressHolders(allocations, signal),
    Promise.all(
      Object.entries(generations).map(async ([generation, each]) => {
        const { registered, frontends, array } = each;
        const groups = registered ? targetsOf(each) : [];
        return {
          ...{ generation, registered, frontends, array },
          targets: await Promise.all(groups.map(({ targetGroupArn }) => aws.targetHealth(targetGroupArn, signal))),
          arrayNow: array && (await aws.arrays.find(array.name, signal)),
        };
      }),
    ),
  ]);
  const stateOf = (id: string) => statuses.get(id)?.InstanceState?.Name ?? "terminated";
  const ofGenerations = each.flatMap(({ generation, registered, frontends, array, arrayNow, targets }): Missing[] => [
    ...frontends.flatMap(({ name, instanceId: id }): Missing[] => {
      const state = stateOf(id);
      if (ended.includes(state)) return [{ kind: "ended", name, id, generation, says: `${name} (${id}) is ${state}` }];
      if (stopped.includes(state))
        return [{ kind: "stopped", name, id, generation, says: `${name} (${id}) is ${state}` }];
      const health = targets.map((group) => group.get(id)?.TargetHealth?.State);
      const starts = state === "pending" || statuses.get(id)?.InstanceStatus?.Status === "initializing";
      const isOut = health.some((target) => target === undefined || target === "draining");
      if (starts || (!isOut && health.includes("initial")))
        return [{ kind: "starting", name, id, generation, says: `${name} (${id}) is starting` }];
      if (!registered || !isOut) return [];
      const says = `${name} (${id}) is not registered with the load balancer`;
      return [{ kind: "deregistered", name, id, generation, says }];
    }),
    ...(array === undefined || arrayNow !== undefined
      ? []
      : [
          {
            kind: "no-array",
            name: array.name,
            id: array.name,
            generation,
            says: `array ${array.name} is gone`,
          } as const,
        ]),
  ]);
  const ofAddresses = addresses.flatMap(({ publicIp, allocationId: id, instanceId }): Missing[] => {
    const holder = holders.get(id) ?? "";
    if (holder === instanceId) return [];
    const says = `${publicIp} is on ${holder === "" ? "no server" : holder}, not on ${instanceId}`;
    return [{ kind: "moved", name: publicIp, id, says }];
  });
  return [...ofGenerations, ...ofAddresses];
}

/** The test host name's rules, where somebody deleted one: without it nothing is proven, and no server can be. */
export async function missingRule(
  aws: Pick<Aws, "absentSeconds" | "hasTestRule">,
  outputs: Pick<Outputs, "loadBalancer" | "entries" | "testHostname" | "generations">,
  signal?: AbortSignal,
): Promise<readonly Missing[]> {
  const name = outputs.testHostname;
  const rule: Missing = { kind: "no-rule", name, id: types.listenerRule, says: `the rule for ${name} is gone` };
  const look = async () => ((await aws.hasTestRule(testHostOf(outputs), signal)) ? [] : [rule]);
  return lasting(look, ({ id }) => id, aws.absentSeconds, signal);
}

/** The resources in the state that AWS may not have any more: each missing one, and whatever names it in its inputs. */
export function urnsOf({ resources = [] }: Deployment, missing: readonly Missing[]): string[] {
  const ids = new Set(missing.map(({ id }) => id));
  const moved = new Set(missing.flatMap(({ kind, id }) => (kind === "moved" ? [id] : [])));
  return resources
    .filter(({ type, id = "", inputs = {} }) => {
      // An entry has one rule, and the outputs do not name it.
      if (ids.has(type)) return true;
      // An address itself is where it was; its association is not.
      if (moved.has(id)) return false;
      return ids.has(id) || Object.values(inputs).some((value) => typeof value === "string" && ids.has(value));
    })
    .map(({ urn }) => urn);
}
