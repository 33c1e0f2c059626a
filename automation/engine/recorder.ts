import { isDeepStrictEqual } from "node:util";
import { CommandError, type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { messageOf } from "../errors.ts";
import type { StateResource } from "./deployment.ts";
import { type Drift, type Inputs, type Operation, topLevel } from "./operation.ts";

/** Stack traces, and what a plan expected of resources that an earlier error kept from their turn. */
const noise = /^\s+at |^expected resource operations for .* but none were seen/;

const killed = /was killed with SIG/;

/** The words of gRPC, which the engine repeats with or without its code. */
const lostProvider = /rpc error: code = (Unavailable|Canceled)|error reading from server: |connection error: desc = /;

/** The engine could not write down what it did. */
const fullDisk = /no space left on device/;

/** The program did not reach its engine: to grpc-js the port is that of an earlier one, which died. */
const lostEngine = /\b14 UNAVAILABLE: /;

/** The engine's refusals of an operation, by its plan. */
const refusal = /violates plan|not allowed by the plan|while applying an update plan/;

/** Steps that change something in the cloud; components and the stack itself are not there. */
const changes: ReadonlySet<string> = new Set([
  "create",
  "update",
  "delete",
  "replace",
  "create-replacement",
  "delete-replaced",
  "import",
]);

const creations: ReadonlySet<string> = new Set(["create", "create-replacement"]);

type StepEventMetadata = NonNullable<EngineEvent["resourcePreEvent"]>["metadata"];

/** A resource that AWS still showed as before when it was read right after its update, or without the tags that it was created with. */
export interface LateReading {
  readonly urn: string;
  /** What was not shown yet, with the values that were. */
  readonly before: Readonly<Record<string, unknown>>;
}

/** Collects what the engine does from its events. */
export class Recorder {
  readonly operations: Operation[] = [];
  /** Drift found by a refresh. Only a step's end event says what changed. */
  readonly drift: Drift[] = [];
  /** Declared inputs of the operations' resources; the engine masks secrets. */
  readonly inputs: Inputs[] = [];
  /** The stack's outputs; secrets are masked by the engine. */
  outputs: unknown;
  readonly late: LateReading[] = [];
  /** Creations that failed, without their secrets. */
  readonly failedCreations: StateResource[] = [];
  readonly #errors: string[] = [];
  #failures = 0;
  #finished = false;
  readonly #busy = new Set<string>();
  #busySince = 0;
  #busyMilliseconds = 0;

  readonly #onOperation: (operation: Operation, inputs: Inputs) => void;
  #began = false;

  /** @param onOperation called when an operation is about to begin; the engine does not wait for it */
  constructor(onOperation: (operation: Operation, inputs: Inputs) => void = () => {}) {
    this.#onOperation = onOperation;
  }

  readonly onEvent = (event: EngineEvent): void => {
    this.#began = true;
    if (event.resourcePreEvent !== undefined) this.#begin(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) this.#end(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent !== undefined) this.#fail(event.resOpFailedEvent.metadata);
    if (event.summaryEvent !== undefined || event.cancelEvent !== undefined) this.#finished = true;
    if (event.diagnosticEvent?.severity === "error") this.#errors.push(event.diagnosticEvent.message.trim());
  };

  /**
   * Whether the engine ended without its last word, was killed right after it, with its lock still there, lost its
   * provider or its program, or could not write down what it did.
   */
  died(cause: unknown): boolean {
    if (!this.#finished || killed.test(messageOf(cause))) return true;
    const says = (pattern: RegExp) => this.#errors.some((message) => pattern.test(message));
    if (says(fullDisk)) return true;
    // Once an operation has failed, the engine ends before its program does.
    return says(lostProvider) || (this.#failures === 0 && says(lostEngine));
  }

  /** Whether the engine ended with what says that it has no plans, or refuses this one. */
  refusedPlan(cause: unknown): boolean {
    if (this.#errors.some((message) => refusal.test(message))) return true;
    // It ended by itself before it had begun, as it does with an option that it does not know.
    return !this.#began && cause instanceof CommandError && !killed.test(messageOf(cause));
  }

  get cloudSeconds(): number {
    return this.#busyMilliseconds / 1000;
  }

  /** The engine's own words for what went wrong, without its decoration. */
  problem(cause: unknown): string {
    const lines = this.#errors.flatMap((error) => error.split("\n")).filter((line) => !noise.test(line));
    return lines.length > 0
      ? [...new Set(lines.map((line) => line.replace(/^Unhandled exception: (Error: )?/, "")))].join("\n")
      : lastLine(cause);
  }

  #begin({ op, urn, type, diffs, old, new: state }: StepEventMetadata): void {
    if (!changes.has(op) || type.startsWith("handover:") || type.startsWith("pulumi:")) return;
    const name = urn.split("::").at(-1) ?? "";
    const operation = { op, urn, type, name, properties: stated(diffs ?? [], old, state) };
    this.operations.push(operation);
    this.inputs.push(state?.inputs);
    this.#onOperation(operation, state?.inputs);
    if (this.#busy.size === 0) this.#busySince = performance.now();
    this.#busy.add(urn);
  }

  #fail(metadata: StepEventMetadata): void {
    const { op, new: state } = metadata;
    this.#failures++;
    if (state !== undefined && creations.has(op)) {
      const { urn, type, custom, parent, provider, inputs } = state;
      this.failedCreations.push({ urn, type, custom, parent, provider, inputs: withoutSecrets(inputs) });
    }
    this.#end(metadata);
  }

  #end({ op, urn, type, old, new: state, diffs }: StepEventMetadata): void {
    const isRefreshed = !this.#busy.has(urn);
    if (!isRefreshed) {
      const before = op === "update" ? notShown(old, state) : creations.has(op) ? untagged(state) : {};
      if (Object.keys(before).length > 0) this.late.push({ urn, before });
    }
    if ((op === "update" || op === "delete") && isRefreshed) {
      const properties = op === "delete" ? [] : (diffs ?? differences(old?.outputs, state?.outputs));
      const changes = properties.map((path) => ({ path, before: valueAt(old, path), after: valueAt(state, path) }));
      this.drift.push({ op, urn, type, name: urn.split("::").at(-1) ?? "", properties, changes });
    }
    if (type === "pulumi:pulumi:Stack") this.outputs = state?.outputs;
    if (this.#busy.delete(urn) && this.#busy.size === 0) this.#busyMilliseconds += performance.now() - this.#busySince;
  }
}

/** Marks a secret: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const signature = "4dabf18193072939515e22adb298388d";

/** The inputs but those that are secret, which the engine's events only mask. */
function withoutSecrets(inputs: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && signature in value;
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => !isSecret(value)));
}

type StepState = StepEventMetadata["old"];

/**
 * What differs without what no program says: the plugin may compute more by itself than the cloud has told of a resource.
 * Tags of the provider's configuration are said, and in computed tags alone.
 */
function stated(diffs: readonly string[], old: StepState, now: StepState): readonly string[] {
  const inputs = { ...old?.inputs, ...now?.inputs, tagsAll: true };
  const said = diffs.filter((path) => topLevel(path) in inputs);
  return (said.length > 0 ? said : diffs).toSorted();
}

/** Outputs of before whose inputs changed, and that are neither the new inputs nor anything else by now. */
function notShown(old: StepState, now: StepState): Record<string, unknown> {
  const changed = differences(old?.inputs, now?.inputs).filter((key) => {
    const shown = now?.outputs[key];
    return isDeepStrictEqual(shown, old?.outputs[key]) && !isDeepStrictEqual(shown, now?.inputs[key]);
  });
  return Object.fromEntries(changed.map((key) => [key, old?.outputs[key]]));
}

/** The tags of a creation where some that it asked for are not shown. An array's are a list, which comes with it. */
function untagged(now: StepState): Record<string, unknown> {
  const [asked, shown] = [now?.inputs.tags, now?.outputs.tags] as [unknown, Record<string, unknown> | undefined];
  if (typeof asked !== "object" || asked === null || Array.isArray(asked)) return {};
  const isWhole = Object.keys(asked).every((key) => key === "__defaults" || (shown != null && key in shown));
  return isWhole ? {} : { tags: shown };
}

function differences(before: Readonly<Record<string, unknown>> = {}, after: Readonly<Record<string, unknown>> = {}) {
  return Object.keys({ ...before, ...after }).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
}

/** What a resource has at a path: `defaultActions[0].forward.targetGroups`, or with a key in quotes, `tags["a.b"]`. */
function valueAt(state: StepState, path: string): unknown {
  const keys = [...path.matchAll(/\["([^"]+)"\]|[^.[\]]+/g)].map(([key, quoted]) => quoted ?? key);
  const within = (value: unknown) =>
    keys.reduce<unknown>(
      (at, key) => (typeof at === "object" && at !== null ? at[key as keyof typeof at] : undefined),
      value,
    );
  return within(state?.outputs) ?? within(state?.inputs);
}

/** The line of an error that says what happened. */
export function lastLine(cause: unknown): string {
  const lines = messageOf(cause)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.find((line) => line.startsWith("error:")) ?? lines.at(-1) ?? "no reason given";
}
