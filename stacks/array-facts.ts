import * as aws from "@pulumi/aws";
import type { Intent } from "./intent.ts";
import type { LastOutputs, Outputs } from "./outputs.ts";

/** What an update must know of the arrays as they are now. */
export interface ArrayFacts {
  /** What an operator had suspended in the old array before the run; the new one takes it over. */
  readonly suspendedByOperator?: readonly string[];
  /** Whether the run has begun to state what is suspended; before, and outside of a run, that is an operator's. */
  readonly stated: boolean;
  /** The old array's sizes, when this update creates the new one. */
  readonly capacity?: Capacity;
}

export interface Capacity {
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
}

/**
 * Read from AWS, in two places of the run only: where what is suspended is written down, before anything is suspended,
 * and where the new array is created, when the old one's capacity stands still. From then on the last outputs know.
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
    ...(creates && now !== undefined && { capacity: sizesOf(now) }),
  };
}

function sizesOf({ minSize, maxSize, desiredCapacity }: Capacity): Capacity {
  return { minSize, maxSize, desiredCapacity };
}
