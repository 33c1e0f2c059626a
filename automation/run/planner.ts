import { isDeepStrictEqual } from "node:util";
import type { Plan } from "../engine/plan.ts";
import { offences } from "../runbook/policy.ts";
import { factsOf, type RunIdentity, type Update } from "../runbook/rows.ts";
import { positionOf } from "../runbook/updates.ts";
import type { OpenStack } from "./open-stack.ts";
import { readAgain } from "./recovery.ts";

interface Ahead {
  readonly update: Update;
  readonly plan: Promise<Plan>;
  readonly stop: AbortController;
}

/** Makes a run's plans, the next one while the gates of the update before it are held. */
export class Planner {
  readonly #engine: OpenStack["engine"];
  readonly #identity: RunIdentity;
  readonly #cancel: AbortSignal;
  #ahead: Ahead | undefined;

  constructor(engine: OpenStack["engine"], identity: RunIdentity, cancel: AbortSignal) {
    this.#engine = engine;
    this.#identity = identity;
    this.#cancel = cancel;
  }

  /**
   * Plans an update. One that would be refused is planned once more, from a state that was read again: AWS may show what
   * was just changed as it was before.
   * @param restores see `PolicyContext`
   */
  async plan(update: Update, restores = false): Promise<Plan> {
    const plan = await this.#next(update);
    const refused = offences(plan.operations, { ...update, ...this.#identity, restores }).map(({ urn }) => urn);
    if (refused.length === 0) return plan;
    try {
      await readAgain(this.#engine, refused, this.#cancel);
    } catch {
      this.#cancel.throwIfAborted();
      return plan;
    }
    return this.#preview(update, this.#cancel);
  }

  async #next(update: Update): Promise<Plan> {
    const ahead = this.#ahead;
    if (ahead !== undefined && isDeepStrictEqual(ahead.update, update)) {
      this.#ahead = undefined;
      return ahead.plan;
    }
    await this.drop();
    return this.#preview(update, this.#cancel);
  }

  /** Gates read and the engine applies, so what is planned while they are held is what would be planned afterwards. */
  planAhead(update: Update): void {
    const stop = new AbortController();
    const plan = this.#preview(update, AbortSignal.any([this.#cancel, stop.signal]));
    plan.catch(() => undefined);
    this.#ahead = { update, plan, stop };
  }

  /** Waits until nothing is planned any more. */
  async drop(): Promise<void> {
    this.#ahead?.stop.abort();
    await this.#ahead?.plan.catch(() => undefined);
    this.#ahead = undefined;
  }

  #preview(update: Update, signal: AbortSignal): Promise<Plan> {
    return this.#engine.preview(positionOf(update, this.#identity), signal, factsOf(update.row).approves);
  }
}
