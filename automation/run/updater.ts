import type { Outputs } from "../../stacks/outputs.ts";
import { isPhase } from "../../stacks/runbook.ts";
import type { Applied } from "../engine/engine.ts";
import { NotYetShownError } from "../engine/engine-errors.ts";
import type { Plan } from "../engine/plan.ts";
import { messageOf } from "../errors.ts";
import { check } from "../runbook/policy.ts";
import type { RunIdentity, Update } from "../runbook/rows.ts";
import { applyPlan } from "./apply-plan.ts";
import type { Drive } from "./drive.ts";
import { readLate } from "./late-readings.ts";
import { Planner } from "./planner.ts";
import { nameOf, repair } from "./repair.ts";

/** Number of times in a row that an update is applied without coming nearer to its end, until AWS shows what it made. */
const looksForNew = 4;

/** Brings the stack from one update of a run to the next: plans it, checks the plan, and applies that. */
export class Updater {
  readonly #drive: Drive;
  readonly #identity: RunIdentity;
  readonly #cancel: AbortSignal;
  readonly #planner: Planner;
  #outputs: Outputs | undefined;
  #forwardAt = Date.now();

  constructor(drive: Drive, identity: RunIdentity, cancel: AbortSignal) {
    this.#drive = drive;
    this.#identity = identity;
    this.#cancel = cancel;
    this.#planner = new Planner(drive.opened.engine, identity, cancel);
    this.#outputs = drive.opened.last?.outputs;
  }

  /** The stack's outputs after the last update; undefined when there was none. */
  get outputs(): Outputs | undefined {
    return this.#outputs;
  }

  /** When the last update of a phase was over. One of another process may be as late as this one's start. */
  get forwardAt(): number {
    return this.#forwardAt;
  }

  /** Makes the next plan while gates are held. */
  planAhead(update: Update): void {
    this.#planner.planAhead(update);
  }

  /** Waits until nothing is planned any more. */
  async drop(): Promise<void> {
    await this.#planner.drop();
  }

  /** Plans an update, and checks what it would do. @throws what refuses the plan */
  async plan(update: Update, { restores = false } = {}): Promise<Plan> {
    const { ledger } = this.#drive;
    ledger.assertHeld();
    this.#drive.options.signals.stop.throwIfAborted();
    const plan = await this.#planner.plan(update, restores);
    const { row, step, left } = update;
    const operations = plan.operations.map(({ op, type, name, properties }) => ({ op, type, name, properties }));
    ledger.tell({ type: "plan", phase: row, step, digest: plan.digest, operations });
    check(plan.operations, { row, ...this.#identity, left, restores });
    return plan;
  }

  /** What AWS did not show in time is in the state once it is read again: what is left is planned and applied. */
  async apply(update: Update, plan: Plan, { restores = false, tries = looksForNew } = {}): Promise<Applied> {
    try {
      return await this.#apply(update, plan);
    } catch (error) {
      if (!(error instanceof NotYetShownError) || tries <= 1 || this.#drive.options.signals.stop.aborted) throw error;
      const { ledger } = this.#drive;
      const message = `${update.row} goes on with what is left. ${ledger.redact(error.message)}`;
      ledger.tell({ type: "warning", message });
      await repair(this.#drive);
      const left = await this.plan(update, { restores });
      // A large update may meet it again and again, and comes nearer to its end each time.
      const isNearer = left.operations.length < plan.operations.length;
      return this.apply(update, left, { restores, tries: isNearer ? looksForNew : tries - 1 });
    }
  }

  async #apply({ row, step }: Update, plan: Plan): Promise<Applied> {
    const { ledger } = this.#drive;
    await ledger.written();
    ledger.assertHeld();
    this.#drive.options.signals.stop.throwIfAborted();
    const applied = await applyPlan(this.#drive, plan, this.#cancel).finally(() => {
      if (isPhase(row)) this.#forwardAt = Date.now();
    });
    this.#outputs = applied.outputs;
    await this.#readLate(applied);
    await ledger.changed(applied.outputs);
    const operations = applied.operations.map(({ op, type, name }) => ({ op, type, name }));
    ledger.tell({ type: "applied", phase: row, step, seconds: applied.seconds, operations });
    return applied;
  }

  async #readLate({ late }: Applied): Promise<void> {
    if (late.length === 0) return;
    const { ledger, opened } = this.#drive;
    const left = await readLate(opened.engine, late, this.#cancel).catch((error) => {
      this.#cancel.throwIfAborted();
      ledger.tell({
        type: "warning",
        message: `What AWS showed late could not be read: ${ledger.redact(messageOf(error))}`,
      });
      return [];
    });
    for (const { urn, before } of left) {
      const message = `AWS still shows ${Object.keys(before).join(", ")} of ${nameOf(urn)} as before the update`;
      ledger.tell({ type: "warning", message });
    }
  }
}
