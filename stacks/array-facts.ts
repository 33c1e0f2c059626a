import * as aws from "@pulumi/aws";
import type { Intent } from "./intent.ts";
import type { LastOutputs, Outputs } from "./outputs.ts";

/** The arrays' present state, as far as an update depends on it. */
export interface ArrayFacts {
  /** Processes that an operator had suspended in the old array before the run; the new one takes them over. */
  readonly suspendedByOperator?: readonly string[];
  /** Set once the run states what is suspended. Before that, and outside of a run, an operator decides. */
  readonly stated: boolean;
  /** The old array's sizes, when this update creates the new one. */
  readonly capacity?: Capacity;
  /** Tags that somebody else gave the old array, when this update creates the new one. */
  readonly tags?: readonly ArrayTag[];
}

export interface ArrayTag {
  readonly key: string;
  readonly value: string;
  readonly propagateAtLaunch: boolean;
}

export interface Capacity {
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
}

/**
 * Reads AWS at two points of a run only: when suspended processes are recorded, before anything is suspended, and when
 * the new array is created, while the old one's capacity stands still. Afterwards the last outputs have them.
 */
export async function arrayFacts(
  desired: Intent,
  run: Outputs["run"],
  last: LastOutputs | undefined,
): Promise<ArrayFacts> {
  const arrays = last?.outputs.generations ?? {};
  const recorded = Object.values(arrays).find(({ array }) => array?.suspendedByOperator)?.array?.suspendedByOperator;
  const { from = "", to = "" } = run ?? {};
  const old = arrays[from]?.array;
  const intent = { old: desired.generations[from]?.array, new: desired.generations[to]?.array };
  const creates = intent.new !== undefined && intent.new !== "withdrawn" && arrays[to]?.array === undefined;
  const suspends = intent.old !== undefined && intent.old !== "active";
  const mustRecord = recorded === undefined && (creates || suspends);
  const now =
    old !== undefined && (creates || mustRecord) ? await aws.autoscaling.getGroup({ name: old.name }) : undefined;
  const suspendedByOperator = recorded ?? (mustRecord ? [...(now?.suspendedProcesses ?? [])].sort() : undefined);
  return {
    stated: recorded !== undefined,
    ...(suspendedByOperator !== undefined && { suspendedByOperator }),
    ...(creates && now !== undefined && { capacity: sizesOf(now), tags: now.tags.filter(isOthers) }),
  };
}

/** AWS's own tags cannot be given: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
function isOthers({ key }: ArrayTag): boolean {
  return key !== "Name" && !key.startsWith("handover:") && !key.startsWith("aws:");
}

function sizesOf({ minSize, maxSize, desiredCapacity }: Capacity): Capacity {
  return { minSize, maxSize, desiredCapacity };
}
