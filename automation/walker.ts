import { stepsOf } from "../stacks/intent.ts";
import type { Outputs } from "../stacks/outputs.ts";
import { runbook, withdraw } from "../stacks/runbook.ts";
import { runCommand } from "./command-line.ts";
import type { Applied, Plan, Position } from "./engine.ts";
import { type ExitCode, exitCodes, HandoverError } from "./errors.ts";
import { type GateResult, hold, watch } from "./gates/gate.ts";
import { type GatedRow, gatesBefore, gatesOf, type RowGates } from "./gates/of-row.ts";
import { canonicalJson, sha256 } from "./ledger/canonical.ts";
import { check } from "./policy.ts";
import type { Listener, Outcome, PhaseReport, RunResult } from "./report/events.ts";
import type { RunLedger } from "./run-ledger.ts";
import { inputsOf, type Session } from "./session.ts";

/** Who goes where. */
export interface RunIdentity {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

/** How a run is told to stop: `stop` after the operation in hand, `cancel` in the middle of it. */
export interface Signals {
  readonly stop: AbortSignal;
  readonly cancel: AbortSignal;
}

/** A gate did not hold. */
export class GateError extends HandoverError {
  readonly row: GatedRow;
  readonly results: readonly GateResult[];

  constructor(row: GatedRow, results: readonly GateResult[]) {
    const missed = results.filter(({ verdict }) => verdict !== "pass");
    const inconclusive = missed.every(({ verdict }) => verdict === "inconclusive");
    const text = missed
      .map(({ gate, verdict, evidence }) => `${gate}: ${verdict}: ${JSON.stringify(evidence)}`)
      .join("; ");
    super(
      inconclusive ? "evidence-inconclusive" : "gate-failed",
      inconclusive ? exitCodes.paused : exitCodes.rolledBack,
      `${row}: ${text}`,
    );
    this.row = row;
    this.results = results;
  }

  get inconclusive(): boolean {
    return this.code === "evidence-inconclusive";
  }
}

/** A person must approve the plan before it is applied. */
export class ApprovalNeeded extends HandoverError {
  /** What is approved. */
  readonly digest: string;

  constructor(row: GatedRow, digest: string) {
    super("approval-needed", exitCodes.paused, `${row} waits for approval of its plan`);
    this.digest = digest;
  }
}

type NeedsApproval = (plan: Pick<Plan, "digest">) => boolean;

export interface PhaseOptions {
  /** The first step to apply, 1 being the first. */
  readonly fromStep?: number;
  /** Whether a person must approve a plan before it is applied. */
  readonly needsApproval?: NeedsApproval;
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
  readonly phases: PhaseReport[] = [];
  /** The stack's outputs after the last update; undefined when there was none. */
  outputs: Outputs | undefined;

  constructor(session: Session, identity: RunIdentity, ledger: RunLedger, listener: Listener, signals: Signals) {
    this.#session = session;
    this.#identity = identity;
    this.#ledger = ledger;
    this.#listener = listener;
    this.#signals = signals;
    this.#cancel = AbortSignal.any([signals.cancel, ledger.lost]);
    this.outputs = session.last?.outputs;
  }

  /** One phase: each of its steps previewed into a plan, checked, applied, and held until its gates have passed. */
  async phase(row: GatedRow, { fromStep = 1, needsApproval = () => false }: PhaseOptions = {}): Promise<void> {
    this.#signals.stop.throwIfAborted();
    const started = performance.now();
    const work = { operations: 0, waitedSeconds: 0 };
    await this.#ledger.phaseStarted(row);
    this.#listener({ type: "phase-started", phase: row, does: descriptionOf(row) });
    if (row === "migrate") work.waitedSeconds += await this.#migrate(needsApproval);
    else {
      const steps = row === "settle" || row === withdraw ? 1 : stepsOf(this.#session.shape, row);
      for (let step = fromStep; step <= steps; step++) {
        const { applied, waitedSeconds } = await this.#step(row, steps > 1 ? step : undefined, needsApproval);
        work.operations += applied.operations.length;
        work.waitedSeconds += applied.cloudSeconds + waitedSeconds;
      }
    }
    const seconds = secondsSince(started);
    const report = {
      name: row,
      seconds,
      operations: work.operations,
      overheadSeconds: Math.max(0, seconds - work.waitedSeconds),
    };
    await this.#ledger.phaseFinished(row);
    this.phases.push(report);
    this.#listener({ type: "phase-finished", ...report });
  }

  async #step(
    row: GatedRow,
    step: number | undefined,
    needsApproval: NeedsApproval,
  ): Promise<{ applied: Applied; waitedSeconds: number }> {
    const before = this.outputs;
    const scene = { ...this.#session, ...this.#identity, before };
    const plan = await this.#plan(row, step);
    if (needsApproval(plan)) throw new ApprovalNeeded(row, plan.digest);
    let waitedSeconds =
      before === undefined ? 0 : await this.#gates(row, gatesBefore(row, { ...scene, after: before }));
    if (row === "move-addresses" && step !== 2)
      waitedSeconds += await this.#command(row, this.#session.config.upgrade.beforeMove?.command);
    const applied = await this.#apply(row, step, plan);
    waitedSeconds += await this.#gates(row, gatesOf(row, { ...scene, after: applied.outputs }));
    return { applied, waitedSeconds };
  }

  /** A command has no plan of the engine's: what a person approves is the command itself. */
  async #migrate(needsApproval: NeedsApproval): Promise<number> {
    const command = this.#session.config.upgrade.migrate?.command;
    const digest = sha256(canonicalJson({ command, ...this.#identity }));
    if (needsApproval({ digest })) throw new ApprovalNeeded("migrate", digest);
    return this.#command("migrate", command);
  }

  async #plan(row: GatedRow, step: number | undefined): Promise<Plan> {
    this.#ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const plan = await this.#session.engine.preview(this.#position(row, step), this.#cancel);
    const operations = plan.operations.map(({ op, type, name, properties }) => ({ op, type, name, properties }));
    this.#listener({ type: "plan", phase: row, step, digest: plan.digest, operations });
    await this.#ledger.planned(row, plan);
    check(plan.operations, { row, ...this.#identity });
    return plan;
  }

  async #apply(row: GatedRow, step: number | undefined, plan: Plan): Promise<Applied> {
    this.#ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const applied = await this.#session.engine.up(plan, this.#cancel);
    this.outputs = applied.outputs;
    await this.#ledger.applied(row, applied);
    this.#listener({ type: "applied", phase: row, step, seconds: applied.seconds });
    return applied;
  }

  /** @returns how long was waited, in seconds */
  async #gates(row: GatedRow, gates: RowGates): Promise<number> {
    const started = performance.now();
    const signal = AbortSignal.any([this.#signals.stop, this.#ledger.lost]);
    const judge = async (results: readonly GateResult[]) => {
      for (const result of results) {
        this.#listener({ type: "gate", phase: row, ...result });
        await this.#ledger.gate(row, result);
      }
      if (results.some(({ verdict }) => verdict !== "pass")) throw new GateError(row, results);
    };
    await judge(await hold(gates.hold, { seconds: this.#session.config.upgrade.gateSeconds, signal }));
    if (gates.watch !== undefined) await judge(await watch(gates.watch.gates, gates.watch.seconds, signal));
    return secondsSince(started);
  }

  async #command(row: GatedRow, command: readonly string[] | undefined): Promise<number> {
    if (command === undefined) return 0;
    const started = performance.now();
    const { config, stack } = this.#session;
    const { id, from, to } = this.#identity;
    const environment = {
      ...inputsOf(config, to),
      HANDOVER_STACK: stack,
      HANDOVER_RUN: id,
      HANDOVER_FROM: from,
      HANDOVER_TO: to,
    };
    const onLine = (line: string) => this.#listener({ type: "output", phase: row, line: this.#ledger.redact(line) });
    const { verdict, evidence } = await runCommand(command, environment, onLine, this.#cancel);
    const result = {
      gate: `command ${command[0]}`,
      verdict: verdict === "pass" ? "pass" : "fail",
      evidence,
      seconds: secondsSince(started),
    } as const;
    this.#listener({ type: "gate", phase: row, ...result });
    await this.#ledger.gate(row, result);
    this.#signals.stop.throwIfAborted();
    if (result.verdict === "fail") throw new GateError(row, [result]);
    return secondsSince(started);
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

  /** Undoes the migrations, if there is a command for it. */
  async undoMigrations(): Promise<void> {
    await this.#command("migrate", this.#session.config.upgrade.migrate?.rollbackCommand);
  }

  /** The keys that place an update in the runbook; none when one generation shall be alone. */
  #position(row: GatedRow, step: number | undefined): Position {
    const { id, from, to } = this.#identity;
    if (row === "settle") return { live: from, run: { id, from, to: from } };
    return { live: to, phase: row, step, run: { id, from, to } };
  }
}

function descriptionOf(row: GatedRow): string {
  if (row === withdraw) return "puts traffic and addresses back, and takes the new servers out of the pool";
  if (row === "settle") return "leaves one generation alone";
  return runbook.find(({ name }) => name === row)?.does ?? "";
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
