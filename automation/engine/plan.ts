import { isDeepStrictEqual } from "node:util";
import { type Explanation, exitCodes, HandoverError } from "../errors.ts";
import { isRecord } from "../ledger/canonical.ts";
import type { Inputs, Operation } from "./operation.ts";
import { declared } from "./plan-digest.ts";

/** A preview's result: what its update may do. */
export interface Plan {
  /**
   * The engine's update plan, to which it binds the update itself. Undefined where it makes none: update plans are a
   * preview feature (https://www.pulumi.com/docs/iac/concepts/update-plans/). In both cases each operation is compared as
   * it begins.
   */
  readonly file?: string | undefined;
  readonly operations: readonly Operation[];
  /** Inputs of the operations, in their order. */
  readonly inputs: readonly Inputs[];
  /** Digest of what the stack's file declares, user data included, which the engine's events mask. */
  readonly declaration: string;
  /** SHA-256 over the operations and the inputs that they come with, secrets masked: what a person approves; see `Engine`. */
  readonly digest: string;
  readonly seconds: number;
}

/** An update that would do what its plan does not have, or that had begun to: no evidence against the new servers. */
export class NotPlannedError extends HandoverError {
  constructor(explanation: Pick<Explanation, "happened" | "first">) {
    super("not-planned", exitCodes.paused, { state: "Nothing more was done", ...explanation });
  }
}

/** An engine's refusal of its own plan, which may be for nothing: https://github.com/pulumi/pulumi/issues/11587 */
export class PlanRefusedError extends HandoverError {
  constructor(problem: string, cause: unknown) {
    super("engine-refused-plan", exitCodes.paused, `The engine refused its plan. ${problem}`, { cause });
  }
}

/**
 * Whether a plan has an operation, with these inputs as far as the preview knew them. That it has more is nothing: an
 * update that was cut off does what is left. Properties that differ are not compared: plugins count what they compute.
 */
export function isPlanned(
  { op, urn }: Operation,
  inputs: Inputs,
  { operations, inputs: known }: Pick<Plan, "operations" | "inputs">,
): boolean {
  return operations.some(
    (planned, index) => planned.op === op && planned.urn === urn && isAs(declared(known[index]), declared(inputs)),
  );
}

/** Pulumi's placeholder for a value that is known once something else is made: https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function isAs(planned: unknown, actual: unknown): boolean {
  if (planned === unknown) return true;
  if (Array.isArray(planned) && Array.isArray(actual))
    return planned.length === actual.length && planned.every((value, index) => isAs(value, actual[index]));
  if (!isRecord(planned) || !isRecord(actual)) return isDeepStrictEqual(planned, actual);
  // What begins with `__` is the plugin's own: https://github.com/pulumi/pulumi/issues/11012
  const names = Object.keys({ ...planned, ...actual }).filter((name) => !name.startsWith("__"));
  return names.every((name) => isAs(planned[name], actual[name]));
}
