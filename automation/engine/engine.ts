import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConcurrentUpdateError, type PreviewOptions, type Stack } from "@pulumi/pulumi/automation/index.js";
import { configValue } from "../../stacks/config.ts";
import { type Outputs, outputsSchema } from "../../stacks/outputs.ts";
import { NotSeenError, notSeenInText, remedies } from "../cloud/not-seen.ts";
import { secondsSince } from "../elapsed.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import type { BriefCommand } from "./brief-command.ts";
import { EngineBusyError, endDeadEngine, type LockHolder, lockHolders } from "./end-engine.ts";
import { EngineBlindError, EngineDiedError, isNotYetShown, NotYetShownError } from "./engine-errors.ts";
import { type Drift, describeOperation, type Operation } from "./operation.ts";
import { isPlanned, NotPlannedError, type Plan, PlanRefusedError } from "./plan.ts";
import { type Approved, declarationDigest, digestOf } from "./plan-digest.ts";
import type { Position } from "./position.ts";
import { type LateReading, Recorder } from "./recorder.ts";
import { mergeKeys, type StackFile } from "./stack-file.ts";
import { State } from "./state.ts";
import { configFile, type OpenOptions, openWorkspace, type Workspace } from "./workspace.ts";

export interface Applied {
  readonly outputs: Outputs;
  readonly operations: readonly Operation[];
  readonly seconds: number;
  /** Part of `seconds` in which the cloud worked on at least one resource. */
  readonly cloudSeconds: number;
  readonly late: readonly LateReading[];
}

/** Number of resources that the engine works on at once. */
const parallel = 64;

/**
 * The Pulumi engine for one stack, the only user of the Automation API. The program runs in this process, loaded once;
 * the workspace is a folder of its own, so no file of the project is written.
 */
export class Engine {
  readonly #stack: Stack;
  readonly #command: BriefCommand;
  readonly #directory: string;
  readonly #file: StackFile;
  readonly state: State;
  #plans = 0;
  #leased = false;

  private constructor({ stack, command, directory, file }: Workspace) {
    this.#stack = stack;
    this.#command = command;
    this.#directory = directory;
    this.#file = file;
    this.state = new State(stack, command, directory);
  }

  static async open(file: StackFile, options: OpenOptions): Promise<Engine> {
    return new Engine(await openWorkspace(file, options));
  }

  /** The `handover:*` values with secrets decrypted. */
  async decryptedConfig(): Promise<Record<string, unknown>> {
    const all = await this.#stack.getAllConfig();
    return Object.fromEntries(Object.entries(all).map(([key, { value }]) => [key, configValue(value)]));
  }

  /** Previews an update at a position of the runbook into a plan. */
  async preview(position: Position, signal: AbortSignal, approves?: Approved): Promise<Plan> {
    signal.throwIfAborted();
    this.#place(position);
    const file = join(this.#directory, `plan-${++this.#plans}.json`);
    const started = performance.now();
    const recorder = await this.#previewAgain(signal, file);
    return {
      ...(existsSync(file) && { file }),
      operations: recorder.operations,
      inputs: recorder.inputs,
      declaration: declarationDigest(this.#file),
      digest: digestOf(this.#file, position, recorder, approves),
      seconds: secondsSince(started),
    };
  }

  /**
   * The account in which the plugin works, by its own settings and environment. Its preview ends with the answer, so it
   * plans nothing.
   */
  async account(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { account } = await import("../../stacks/account.ts");
    let answer: string | undefined;
    const program = async () => {
      answer = await account();
      throw new Error("answered");
    };
    await this.#preview(signal, { program }).catch((error) => {
      if (answer === undefined) throw error;
    });
    return answer ?? "";
  }

  /** Previews once more where that may help: it changes nothing. */
  #previewAgain(signal: AbortSignal, plan?: string): Promise<Recorder> {
    const options = plan === undefined ? {} : { plan };
    return this.#preview(signal, options).catch((error) => {
      if (error instanceof PlanRefusedError) return this.#previewAgain(signal);
      if (error instanceof EngineDiedError) return this.#preview(signal, options);
      throw error;
    });
  }

  async #preview(signal: AbortSignal, options: Pick<PreviewOptions, "plan" | "program">): Promise<Recorder> {
    const recorder = new Recorder();
    try {
      await untraced(() =>
        this.#stack.preview({ ...options, parallel, color: "never", signal, onEvent: recorder.onEvent }),
      );
      return recorder;
    } catch (cause) {
      signal.throwIfAborted();
      const problem = recorder.problem(cause);
      if (options.plan !== undefined && recorder.refusedPlan(cause)) throw new PlanRefusedError(problem, cause);
      if (recorder.died(cause)) throw new EngineDiedError(problem, cause);
      const happened = `The preview failed; nothing was changed by it. ${problem}`;
      const notSeen = notSeenInText(problem);
      if (notSeen !== undefined) throw new NotSeenError(notSeen, { happened, first: remedies[notSeen] }, { cause });
      throw new HandoverError("preview-failed", exitCodes.needsPerson, happened, { cause });
    }
  }

  /**
   * Applies a plan: the engine refuses whatever is not in it. One that has no plans, or refuses this one although nothing
   * changed, is compared with it here: by one more preview, and by each operation as it begins.
   * @throws NotPlannedError, CutShortError, or HandoverError `update-failed`
   */
  async up(plan: Plan, signal: AbortSignal): Promise<Applied> {
    if (plan.file !== undefined) {
      try {
        return await this.#up(signal, plan, plan.file);
      } catch (error) {
        if (!(error instanceof PlanRefusedError)) throw error;
      }
    }
    await this.#checkAgain(plan, signal);
    return this.#up(signal, plan);
  }

  /** Previews what the last preview placed once more, right before it is applied without the engine's plan. */
  async #checkAgain(plan: Plan, signal: AbortSignal): Promise<void> {
    const { operations, inputs } = await this.#previewAgain(signal);
    const unplanned = operations.find((operation, index) => !isPlanned(operation, inputs[index], plan));
    if (unplanned !== undefined) {
      const happened = `The update would do what its plan does not have: ${describeOperation(unplanned)}. It was not begun`;
      throw new NotPlannedError({ happened });
    }
    if (declarationDigest(this.#file) !== plan.declaration) {
      const happened = "A generation's user data changed after the update was planned. It was not begun";
      throw new NotPlannedError({ happened });
    }
  }

  /** Updates to a position without a plan: for a copy of the stack, whose cloud is simulated. */
  async upTo(position: Position, signal: AbortSignal): Promise<Applied> {
    this.#place(position);
    return this.#up(signal);
  }

  /** @param file the engine's plan */
  async #up(signal: AbortSignal, plan?: Plan, file?: string): Promise<Applied> {
    signal.throwIfAborted();
    const unplanned = new AbortController();
    const recorder = new Recorder((operation, inputs) => {
      if (plan === undefined || isPlanned(operation, inputs, plan)) return;
      const happened = `The update began what its plan does not have: ${describeOperation(operation)}. The engine was stopped`;
      unplanned.abort(new NotPlannedError({ happened, first: "Look whether that took effect, and put it back" }));
    });
    const started = performance.now();
    try {
      this.#command.brief = true;
      await untraced(() =>
        this.#stack.up({
          ...(file !== undefined && { plan: file }),
          parallel,
          color: "never",
          signal: AbortSignal.any([signal, unplanned.signal]),
          onEvent: recorder.onEvent,
        }),
      );
      unplanned.signal.throwIfAborted();
      return {
        outputs: outputsSchema.parse(recorder.outputs),
        operations: recorder.operations,
        seconds: secondsSince(started),
        cloudSeconds: recorder.cloudSeconds,
        late: recorder.late,
      };
    } catch (cause) {
      unplanned.signal.throwIfAborted();
      if (file !== undefined && recorder.refusedPlan(cause)) throw new PlanRefusedError(recorder.problem(cause), cause);
      if (recorder.died(cause)) throw new EngineDiedError(recorder.problem(cause), cause, recorder.failedCreations);
      const problem = recorder.problem(cause);
      const notSeen = notSeenInText(problem);
      if (notSeen !== undefined) throw new EngineBlindError(notSeen, problem, cause, recorder.failedCreations);
      if (isNotYetShown(problem)) throw new NotYetShownError(problem, cause, recorder.failedCreations);
      throw new HandoverError("update-failed", exitCodes.needsPerson, `The update failed. ${problem}`, { cause });
    } finally {
      this.#command.brief = false;
    }
  }

  /** From now on nothing is started unless the lease is held: not a moment after it was lost. */
  workUnder(lease: { assertHeld(): void }): void {
    this.#command.assertMayRun = () => lease.assertHeld();
    this.#leased = true;
  }

  /**
   * Ends the engine of a driver that died or was stopped, and clears the lock that it left. Who holds the stack's lease
   * knows that no other driver works. In a first deployment there is no lease yet: then only an engine whose driver is
   * seen to be dead is ended.
   * @throws HandoverError (exit 5) when somebody works on the stack, or may do so
   */
  async unlock(signal: AbortSignal): Promise<void> {
    const { stack } = this.#file;
    const holders = await this.#lockHolders(signal);
    if (holders === undefined) return;
    const { assertMayRun } = this.#command;
    if (!this.#leased && holders.length === 0) throw new EngineBusyError(stack, "Another update");
    for (const holder of holders) await endDeadEngine(holder, { stack, signal, assertMayRun, leased: this.#leased });
    await this.#stack.cancel();
  }

  /** Who holds the backend's lock, as far as it says; undefined when nobody does. */
  async #lockHolders(signal: AbortSignal): Promise<LockHolder[] | undefined> {
    try {
      // A refresh of the stack's own resource takes the lock and reads nothing from the cloud; no other is there before it.
      const { stackUrn } = this.state;
      await this.refresh(stackUrn === undefined ? [] : [stackUrn], signal);
      return undefined;
    } catch (error) {
      if (error instanceof ConcurrentUpdateError) return lockHolders(messageOf(error));
      // A full disk leaves a lock that is cut off, in which nobody is named.
      if (/unexpected end of JSON input/.test(messageOf(error))) return [];
      throw error;
    }
  }

  /** Reads resources from the cloud into the state. */
  async refresh(urns: readonly string[], signal: AbortSignal): Promise<void> {
    const recorder = new Recorder();
    try {
      await this.#stack.refresh({ target: [...urns], color: "never", signal, onEvent: recorder.onEvent });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof ConcurrentUpdateError || !recorder.died(cause)) throw cause;
      throw new EngineDiedError(recorder.problem(cause), cause);
    }
  }

  /** Reads the whole stack from the cloud into the state. @returns what differed */
  async refreshAll(signal: AbortSignal): Promise<readonly Drift[]> {
    const recorder = new Recorder();
    try {
      await this.#stack.refresh({ parallel, color: "never", signal, onEvent: recorder.onEvent });
    } catch (cause) {
      signal.throwIfAborted();
      throw cause;
    }
    return recorder.drift;
  }

  /** The file that the next update runs with. */
  #place({ live, ...keys }: Position): void {
    const values = { ...keys, ...(live !== undefined && { live }) };
    const text = mergeKeys(this.#file.text, values, this.state.encryption);
    writeFileSync(configFile(this.#directory, this.#file), text, { mode: 0o600 });
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Pulumi notes a stack trace for each property of each resource, a sixth of the program's time. */
async function untraced<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
