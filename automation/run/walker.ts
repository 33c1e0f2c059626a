import type { Outputs } from "../../stacks/outputs.ts";
import type { Listener, Outcome, PhaseReport, RunResult } from "../documents/events.ts";
import type { Applied, Plan } from "../engine/engine.ts";
import type { ExitCode } from "../errors.ts";
import { type GateResult, hold, watch } from "../gates/gate.ts";
import { GateError } from "../gates/gate-error.ts";
import type { Scene } from "../gates/scene.ts";
import { sessionGates } from "../gates/sessions.ts";
import { canonicalJson, sha256 } from "../ledger/canonical.ts";
import type { Signals } from "../processes/signals.ts";
import { type GatedRow, gatesBefore, gatesOf, type RowGates } from "../runbook/gates.ts";
import { check } from "../runbook/policy.ts";
import { descriptionOf, type LastPlanned, type RunIdentity, type Update, updatesOf } from "../runbook/updates.ts";
import type { CommandStates, Verdict } from "../site-commands/command-states.ts";
import { RunCommands } from "../site-commands/run-commands.ts";
import { ApprovalNeeded } from "./approval-needed.ts";
import { applyPlan } from "./mend.ts";
import { OldServers } from "./old-servers.ts";
import type { Session } from "./open-stack.ts";
import { Planner } from "./planner.ts";
import type { RunLedger } from "./run-ledger.ts";

type NeedsApproval = (plan: Pick<Plan, "digest">) => boolean;

interface Work {
  readonly operations: number;
  /** How long the cloud, a gate or a command was waited for. */
  readonly waitedSeconds: number;
}

export interface PhaseOptions {
  /** The row that comes next if all goes well: its plan is made while this one's gates are held. */
  readonly next?: GatedRow;
  /** The update that the run planned last, when it goes on: the row begins with that one. */
  readonly lastPlanned?: LastPlanned;
  /** Whether a person must approve a plan before it is applied. */
  readonly needsApproval?: NeedsApproval;
  /** Whether a person approved what has this digest. */
  readonly isApproved?: (digest: string) => boolean;
}

/** Applies rows of the runbook to the stack, one at a time, and holds each until its gates have passed. */
export class Walker {
  readonly #session: Session;
  readonly #identity: RunIdentity;
  readonly #ledger: RunLedger;
  readonly #listener: Listener;
  readonly #signals: Signals;
  readonly #started = performance.now();
  /** Ends the operation in hand: it was cancelled, or the stack is somebody else's now. */
  readonly #cancel: AbortSignal;
  readonly #planner: Planner;
  #oldServers: OldServers | undefined;
  /** The site's own commands. */
  readonly commands: RunCommands;
  readonly phases: PhaseReport[] = [];
  /** Rows of which something may be in effect. */
  readonly begun = new Set<GatedRow>();
  /** The stack's outputs after the last update; undefined when there was none. */
  outputs: Outputs | undefined;

  constructor(
    session: Session,
    identity: RunIdentity,
    ledger: RunLedger,
    listener: Listener,
    signals: Signals,
    { states, verdict }: { readonly states: CommandStates; readonly verdict?: Verdict } = { states: {} },
  ) {
    this.#session = session;
    // Nothing more than that: what a person approves is a digest over it, in this process and in one that goes on.
    this.#identity = { id: identity.id, from: identity.from, to: identity.to };
    this.#ledger = ledger;
    this.#listener = listener;
    this.#signals = signals;
    this.#cancel = AbortSignal.any([signals.cancel, ledger.lost]);
    this.#planner = new Planner(session.engine, this.#identity, this.#cancel);
    this.outputs = session.last?.outputs;
    this.commands = new RunCommands({ session, identity, ledger, listener, cancel: this.#cancel, states, verdict });
  }

  /** One phase: each of its updates previewed into a plan, checked, applied, and held until its gates have passed. */
  async phase(row: GatedRow, options: PhaseOptions = {}): Promise<void> {
    try {
      await this.#phase(row, options);
    } catch (error) {
      this.#oldServers?.close();
      await this.#planner.drop();
      await this.#ledger.written();
      throw error;
    }
  }

  async #phase(row: GatedRow, options: PhaseOptions): Promise<void> {
    this.#signals.stop.throwIfAborted();
    const started = performance.now();
    this.#listener({ type: "phase-started", phase: row, does: descriptionOf(row) });
    const ledgerBefore = this.#ledger.waitedSeconds;
    const { operations, waitedSeconds } = await this.#work(row, options);
    const seconds = secondsSince(started);
    const report = {
      name: row,
      seconds,
      operations,
      overheadSeconds: Math.max(0, seconds - waitedSeconds),
      ledgerSeconds: this.#ledger.waitedSeconds - ledgerBefore,
    };
    this.#ledger.notePhaseFinished(row);
    this.phases.push(report);
    this.#listener({ type: "phase-finished", ...report });
  }

  async #work(row: GatedRow, options: PhaseOptions): Promise<Work> {
    if (row === "migrate") return this.#migrate(options);
    if (row === "retire") return this.#retire(options);
    const work = await this.#updates(row, options);
    if (row !== "drain") return work;
    return { ...work, waitedSeconds: work.waitedSeconds + (await this.#someMayEnd(row, options)) };
  }

  /** Old servers end as their sessions do: one that must stay holds nobody but itself. */
  async #retire(options: PhaseOptions): Promise<Work> {
    const work = { operations: 0, waitedSeconds: 0 };
    for (;;) {
      work.waitedSeconds += await this.#someMayEnd("retire", options);
      const left = this.#oldServers?.left ?? [];
      const update: Update = left.length > 0 ? { row: "retire", left } : { row: "retire" };
      const { operations, waitedSeconds } = await this.#update(update, { needsApproval: options.needsApproval });
      this.#oldServers?.gone();
      work.operations += operations;
      work.waitedSeconds += waitedSeconds;
      if (left.length === 0) return work;
    }
  }

  /** Waits until one more of the old servers may end. @returns how long, in seconds */
  async #someMayEnd(row: GatedRow, { isApproved = () => false }: PhaseOptions): Promise<number> {
    const started = performance.now();
    // What is approved is that the sessions that are left be ended, whatever plan that is by then.
    const digest = sha256(canonicalJson({ run: this.#identity.id, ends: "sessions" }));
    this.#oldServers ??= this.#watchOldServers(isApproved(digest));
    const servers = this.#oldServers;
    await servers.someEnded();
    this.#tell(row, servers.news());
    if (servers.stuck.length > 0)
      throw new ApprovalNeeded(row, digest, `, since sessions have not ended on ${servers.stuck.join(", ")}`);
    return secondsSince(started);
  }

  #watchOldServers(mayEnd: boolean): OldServers {
    const { outputs } = this;
    const gates = mayEnd || outputs === undefined ? new Map() : sessionGates(this.#scene(outputs));
    const { sessions, gateSeconds: seconds } = this.#session.config.upgrade;
    return new OldServers(gates, { seconds, terminate: sessions?.onLimit === "terminate", signal: this.#gateSignal });
  }

  async #updates(row: GatedRow, options: PhaseOptions): Promise<Work> {
    const work = { operations: 0, waitedSeconds: 0 };
    const { shape } = this.#session;
    const updates = updatesOf(shape, row, options.lastPlanned);
    for (const [index, update] of updates.entries()) {
      const next = updates[index + 1] ?? (options.next && updatesOf(shape, options.next)[0]);
      // What a person approves is the phase: its first plan.
      const needsApproval = (update.step ?? 1) === 1 ? options.needsApproval : undefined;
      const { operations, waitedSeconds } = await this.#update(update, { needsApproval, next });
      work.operations += operations;
      work.waitedSeconds += waitedSeconds;
    }
    return work;
  }

  async #update(
    update: Update,
    { needsApproval = () => false, next }: { needsApproval?: NeedsApproval; next?: Update },
  ): Promise<Work> {
    const { row, step } = update;
    const before = this.outputs;
    const plan = await this.#plan(update);
    if (needsApproval(plan)) {
      // The plan of `retire` as a whole has the same digest: a person approves that, whoever's sessions end first.
      if (update.left !== undefined) await this.#plan({ row });
      throw new ApprovalNeeded(row, plan.digest);
    }
    let waitedSeconds =
      before === undefined ? 0 : await this.#gates(row, gatesBefore(row, this.#scene(before, before)));
    this.#begin(row);
    if (row === "move-addresses" && step !== 2) waitedSeconds += await this.commands.beforeMove();
    const apply = () => this.#apply(update, plan);
    const takesSnapshot = row === "backup" && plan.operations.length > 0;
    const applied = takesSnapshot ? await this.commands.whileFrozen(apply) : await apply();
    if (next !== undefined) this.#planner.planAhead(next);
    waitedSeconds += await this.#gates(row, gatesOf(row, this.#scene(applied.outputs, before)));
    return { operations: applied.operations.length, waitedSeconds: waitedSeconds + applied.cloudSeconds };
  }

  #scene(after: Outputs, before?: Outputs): Scene {
    return { ...this.#session, ...this.#identity, before, after, redact: (text) => this.#ledger.redact(text) };
  }

  /** Right before the first thing that a row does: what was only planned needs no way back. */
  #begin(row: GatedRow): void {
    if (this.begun.has(row)) return;
    this.#ledger.notePhaseStarted(row);
    this.begun.add(row);
  }

  /** A command has no plan of the engine's: what a person approves is the command itself. */
  async #migrate({ needsApproval = () => false }: PhaseOptions): Promise<Work> {
    const command = this.#session.config.upgrade.migrate?.command;
    const digest = sha256(canonicalJson({ command, ...this.#identity }));
    if (needsApproval({ digest })) throw new ApprovalNeeded("migrate", digest);
    this.#begin("migrate");
    return { operations: 0, waitedSeconds: await this.commands.migrate() };
  }

  async #plan(update: Update): Promise<Plan> {
    this.#ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const plan = await this.#planner.plan(update);
    const { row, step, left } = update;
    const operations = plan.operations.map(({ op, type, name, properties }) => ({ op, type, name, properties }));
    this.#listener({ type: "plan", phase: row, step, digest: plan.digest, operations });
    this.#ledger.notePlan(update, plan);
    check(plan.operations, { row, ...this.#identity, left });
    return plan;
  }

  async #apply({ row, step }: Update, plan: Plan): Promise<Applied> {
    await this.#ledger.written();
    this.#ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const options = { listener: this.#listener, signals: this.#signals };
    const applied = await applyPlan({ session: this.#session, ledger: this.#ledger, options }, plan, this.#cancel);
    this.outputs = applied.outputs;
    this.#ledger.noteApplied(row, applied);
    this.#listener({ type: "applied", phase: row, step, seconds: applied.seconds });
    return applied;
  }

  /** @returns how long was waited, in seconds */
  async #gates(row: GatedRow, gates: RowGates): Promise<number> {
    const started = performance.now();
    const signal = this.#gateSignal;
    const judge = (seen: readonly GateResult[]) => {
      const results = this.#tell(row, seen);
      if (results.some(({ verdict }) => verdict !== "pass")) throw new GateError(row, results);
    };
    judge(await hold(gates.hold, { seconds: this.#session.config.upgrade.gateSeconds, signal }));
    if (gates.watch !== undefined) judge(await watch(gates.watch.gates, gates.watch.seconds, signal));
    return secondsSince(started);
  }

  get #gateSignal(): AbortSignal {
    return AbortSignal.any([this.#signals.stop, this.#ledger.lost]);
  }

  /** @returns the results without secrets, as they are printed and recorded */
  #tell(row: GatedRow, seen: readonly GateResult[]): readonly GateResult[] {
    const results = seen.map((result) => this.#ledger.clean(result));
    for (const result of results) {
      this.#listener({ type: "gate", phase: row, ...result });
      this.#ledger.noteGate(row, result);
    }
    return results;
  }

  /** Ends the run, and says how. */
  finish(outcome: Outcome, exitCode: ExitCode, more: Pick<RunResult, "message" | "digest"> = {}): RunResult {
    const { id: run, from, to } = this.#identity;
    const live = this.outputs?.live ?? from;
    const result = {
      outcome,
      run,
      from,
      to,
      live,
      seconds: secondsSince(this.#started),
      phases: this.phases,
      exitCode,
      ...more,
    };
    this.#listener({ type: "run-finished", ...result });
    return result;
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
