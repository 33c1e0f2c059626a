import type { Outputs } from "../../stacks/outputs.ts";
import type { Outcome, PhaseReport, RunResult } from "../documents/events.ts";
import { secondsSince } from "../elapsed.ts";
import type { Applied } from "../engine/engine.ts";
import { CutShortError, EngineDiedError } from "../engine/engine-errors.ts";
import type { Plan } from "../engine/plan.ts";
import { type ExitCode, type Explanation, exitCodes, messageOf, say } from "../errors.ts";
import type { GateContext } from "../gates/context.ts";
import { type GateResult, hold, notJudgedIn, watch } from "../gates/gate.ts";
import { GateError } from "../gates/gate-error.ts";
import { sessionGates } from "../gates/sessions.ts";
import { volumesStay } from "../gates/volumes.ts";
import { canonicalJson, sha256 } from "../ledger/canonical.ts";
import { arrayServing } from "../runbook/array.ts";
import { gatesBefore, gatesOf, type RowGates } from "../runbook/gates.ts";
import { check } from "../runbook/policy.ts";
import { descriptionOf, factsOf, type LastPlanned, type Row, type RunIdentity, type Update } from "../runbook/rows.ts";
import { restored } from "../runbook/servers.ts";
import { updatesOf } from "../runbook/updates.ts";
import type { CommandStates } from "../site-commands/command-states.ts";
import { RunCommands } from "../site-commands/run-commands.ts";
import { ApprovalNeeded } from "./approval-needed.ts";
import { lookAgain } from "./before.ts";
import { checkCredentials } from "./credentials.ts";
import type { Drive } from "./drive.ts";
import { endingServers, keepVolumes } from "./keep-volumes.ts";
import { makeUp, suspendedBefore } from "./missed-actions.ts";
import { OldServers } from "./old-servers.ts";
import { Planner } from "./planner.ts";
import { nameOf, repair } from "./repair.ts";

type NeedsApproval = (plan: Pick<Plan, "digest">) => boolean;

interface Work {
  readonly operations: number;
  /** Seconds in which the cloud, a gate or a command was waited for. */
  readonly waitedSeconds: number;
}

export interface PhaseOptions {
  /** The row that comes next if all goes well: its plan is made while this one's gates are held. */
  readonly next?: Row;
  /** The update that the run planned last, when it goes on: the row begins with that one. */
  readonly lastPlanned?: LastPlanned;
  /** Whether a person must approve a plan before it is applied. */
  readonly needsApproval?: NeedsApproval;
  /** Whether a person approved what has this digest. */
  readonly isApproved?: (digest: string) => boolean;
}

/** The end of a run, as data: how it ended, and what a person is told. */
export interface Ending extends Pick<RunResult, "phase" | "reason" | "digest" | "signal"> {
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  readonly explanation?: Explanation;
}

/** Applies rows of the runbook to the stack, one at a time, and holds each until its gates have passed. */
export class Walker {
  #drive: Drive;
  readonly #identity: RunIdentity;
  readonly #started = performance.now();
  /** Ends the operation in hand: it was cancelled, or the stack is somebody else's now. */
  readonly #cancel: AbortSignal;
  readonly #planner: Planner;
  #oldServers: OldServers | undefined;
  /** The site's own commands. */
  readonly commands: RunCommands;
  readonly phases: PhaseReport[] = [];
  /** Rows of which something may be in effect. */
  readonly begun = new Set<Row>();
  /** The stack's outputs after the last update; undefined when there was none. */
  outputs: Outputs | undefined;

  /** @param states how the run's commands ended before */
  constructor(drive: Drive, { id, from, to }: RunIdentity, states: CommandStates = {}) {
    const { opened, ledger, options, baseline } = drive;
    this.#drive = drive;
    // Nothing more than that: what a person approves is a digest over it, in this process and in one that goes on.
    this.#identity = { id, from, to, ...(baseline?.down && { atOnce: true }) };
    this.#cancel = AbortSignal.any([options.signals.cancel, ledger.lost]);
    this.#planner = new Planner(opened.engine, this.#identity, this.#cancel);
    this.outputs = opened.last?.outputs;
    this.commands = new RunCommands({
      ...opened,
      ...{ identity: this.#identity, snapshots: opened.aws.snapshots, ledger, cancel: this.#cancel },
      ...{ states, ruling: options.migration },
    });
  }

  /** Looks at the site once more, before the new generation has traffic. */
  async lookAgain(): Promise<void> {
    const { opened } = this.#drive;
    const last = opened.last && this.outputs && { ...opened.last, outputs: this.outputs };
    const baseline = await lookAgain({ ...this.#drive, opened: { ...opened, last } }, this.#identity);
    this.#drive = { ...this.#drive, baseline };
  }

  /** One row: each of its updates previewed into a plan, checked, applied, and held until its gates have passed. */
  async phase(row: Row, options: PhaseOptions = {}): Promise<void> {
    const { ledger } = this.#drive;
    try {
      this.#signals.stop.throwIfAborted();
      await checkCredentials(this.#drive.opened, row);
      const started = performance.now();
      ledger.tell({ type: "phase-started", phase: row, does: descriptionOf(row) });
      const ledgerBefore = ledger.waitedSeconds;
      const { operations, waitedSeconds } = await this.#work(row, options);
      const seconds = secondsSince(started);
      const overheadSeconds = Math.max(0, seconds - waitedSeconds);
      const ledgerSeconds = ledger.waitedSeconds - ledgerBefore;
      const report = { name: row, seconds, operations, overheadSeconds, ledgerSeconds };
      this.phases.push(report);
      ledger.tell({ type: "phase-finished", ...report });
    } catch (error) {
      this.#oldServers?.close();
      await this.#planner.drop();
      await ledger.written();
      throw error;
    }
  }

  /**
   * One row that does not wait for a person when the engine dies in the middle of it: what that left is repaired, and
   * the row applied again. Once; a second death is for whoever goes on.
   * @throws EngineDiedError
   */
  async phaseOutliving(row: Row): Promise<void> {
    const { ledger } = this.#drive;
    try {
      await this.phase(row);
    } catch (error) {
      if (!(error instanceof EngineDiedError) || this.#signals.stop.aborted) throw error;
      ledger.tell({ type: "warning", message: `${ledger.redact(error.message)} ${row} is done again` });
      await repair(this.#drive);
      await this.phase(row);
    }
  }

  /** The row in which the stack is, once more: what somebody took from a generation is created anew, and proven. */
  async restore(update: Update, generation: string): Promise<void> {
    const plan = await this.#plan(update, { restores: true });
    const { outputs } = await this.#apply(update, plan);
    const context = this.#context(outputs);
    await this.#gates(update.row, { hold: [...restored(context, generation), ...arrayServing(context, generation)] });
  }

  async #work(row: Row, options: PhaseOptions): Promise<Work> {
    const { approves, sessions } = factsOf(row);
    if (approves === "command") return this.#command(row, options);
    if (sessions === "ended one by one") return this.#endOneByOne(row, options);
    const work = await this.#updates(row, options);
    if (sessions === "ignored") return work;
    return { ...work, waitedSeconds: work.waitedSeconds + (await this.#someMayEnd(row, options)) };
  }

  /** A command has no plan of the engine's: what a person approves is the command itself. */
  async #command(row: Row, { needsApproval = () => false }: PhaseOptions): Promise<Work> {
    const command = this.#upgrade.migrate?.command;
    const digest = sha256(canonicalJson({ command, ...this.#identity }));
    if (needsApproval({ digest })) throw new ApprovalNeeded(row, digest);
    this.#begin(row);
    return { operations: 0, waitedSeconds: await this.commands.migrate() };
  }

  /** Old servers end as their sessions do: one that must stay holds nobody but itself. */
  async #endOneByOne(row: Row, options: PhaseOptions): Promise<Work> {
    const work = { operations: 0, waitedSeconds: 0 };
    for (;;) {
      work.waitedSeconds += await this.#someMayEnd(row, options);
      const left = this.#oldServers?.left ?? [];
      const update: Update = left.length > 0 ? { row, left } : { row };
      const { operations, waitedSeconds } = await this.#update(update, { needsApproval: options.needsApproval });
      this.#oldServers?.gone();
      work.operations += operations;
      work.waitedSeconds += waitedSeconds;
      if (left.length === 0) return work;
    }
  }

  /** Waits until one more of the old servers may end. @returns how long, in seconds */
  async #someMayEnd(row: Row, { isApproved = () => false }: PhaseOptions): Promise<number> {
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
    const gates = mayEnd || outputs === undefined ? new Map() : sessionGates(this.#context(outputs));
    const { sessions, gateSeconds: seconds } = this.#upgrade;
    return new OldServers(gates, { seconds, terminate: sessions?.onLimit === "terminate", signal: this.#gateSignal });
  }

  async #updates(row: Row, options: PhaseOptions): Promise<Work> {
    const work = { operations: 0, waitedSeconds: 0 };
    const { shape } = this.#drive.opened;
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
    const { row, step = 1 } = update;
    const { command } = factsOf(row);
    const before = this.outputs;
    const plan = await this.#plan(update);
    if (needsApproval(plan)) {
      // The plan of the row as a whole has the same digest: a person approves that, whoever's sessions end first.
      if (update.left !== undefined) await this.#plan({ row });
      throw new ApprovalNeeded(row, plan.digest);
    }
    let waitedSeconds =
      before === undefined ? 0 : await this.#gates(row, gatesBefore(row, this.#context(before, before)));
    if (before !== undefined) waitedSeconds += await this.#keepVolumes(row, plan, before);
    const suspended = before && (await this.#looked(row, () => this.#suspendedBefore(row, before)));
    this.#begin(row);
    if (command === "quiets" && step === 1) waitedSeconds += await this.commands.beforeMove();
    const apply = () => this.#apply(update, plan);
    const takesSnapshot = command === "freezes" && plan.operations.length > 0;
    const applied = takesSnapshot ? await this.commands.whileFrozen(apply) : await apply();
    if (suspended !== undefined)
      for (const message of await this.#looked(row, () => makeUp(suspended, this.#drive.opened.aws, this.#gateSignal)))
        this.#drive.ledger.tell({ type: "warning", message });
    if (next !== undefined) this.#planner.planAhead(next);
    waitedSeconds += await this.#gates(row, gatesOf(row, this.#context(applied.outputs, before)));
    return { operations: applied.operations.length, waitedSeconds: waitedSeconds + applied.cloudSeconds };
  }

  /** Volumes beside the root may hold what is nowhere else. @returns how long was waited, in seconds */
  async #keepVolumes(row: Row, { operations }: Plan, outputs: Outputs): Promise<number> {
    const { ledger, opened } = this.#drive;
    const servers = endingServers(operations, outputs, opened.aws);
    if (servers === undefined) return 0;
    const { kept, problems } = await keepVolumes(servers, opened.aws, this.#gateSignal);
    const warnings = [
      ...problems.map((problem) => `a volume was not kept: ${ledger.redact(problem)}`),
      ...kept.map(
        ({ volumeId, device, instanceId }) =>
          `${volumeId} (${device} of ${instanceId}) stays when its server ends; it costs until somebody deletes it`,
      ),
    ];
    for (const message of warnings) ledger.tell({ type: "warning", message });
    return this.#gates(row, { hold: [volumesStay(opened.aws, servers)] });
  }

  #suspendedBefore(row: Row, outputs: Outputs) {
    return suspendedBefore(row, this.#identity, outputs, this.#drive.opened.aws, this.#gateSignal);
  }

  /** An array's scheduled actions that could not be asked for, or made up for, are no evidence against a server. */
  async #looked<T>(row: Row, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      this.#signals.stop.throwIfAborted();
      const evidence = { error: this.#drive.ledger.redact(messageOf(error)) };
      throw new GateError(row, [{ gate: "missed scheduled actions", verdict: "inconclusive", evidence, seconds: 0 }]);
    }
  }

  #context(after: Outputs, before?: Outputs): GateContext {
    const { opened, ledger, baseline } = this.#drive;
    return { ...opened, ...this.#identity, baseline, before, after, redact: (text) => ledger.redact(text) };
  }

  /** Right before the first thing that a row does: what was only planned needs no way back. */
  #begin(row: Row): void {
    if (this.begun.has(row)) return;
    this.#drive.ledger.note({ type: "phase-started", phase: row });
    this.begun.add(row);
  }

  async #plan(update: Update, { restores = false } = {}): Promise<Plan> {
    const { ledger } = this.#drive;
    ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const plan = await this.#planner.plan(update);
    const { row, step, left } = update;
    const operations = plan.operations.map(({ op, type, name, properties }) => ({ op, type, name, properties }));
    ledger.tell({ type: "plan", phase: row, step, digest: plan.digest, operations });
    check(plan.operations, { row, ...this.#identity, left, restores });
    return plan;
  }

  async #apply({ row, step }: Update, plan: Plan): Promise<Applied> {
    const { ledger } = this.#drive;
    await ledger.written();
    ledger.assertHeld();
    this.#signals.stop.throwIfAborted();
    const applied = await applyPlan(this.#drive, plan, this.#cancel);
    this.outputs = applied.outputs;
    const operations = applied.operations.map(({ op, type, name }) => ({ op, type, name }));
    ledger.tell({ type: "applied", phase: row, step, seconds: applied.seconds, operations });
    return applied;
  }

  /** @returns how long was waited, in seconds */
  async #gates(row: Row, gates: RowGates): Promise<number> {
    const started = performance.now();
    const signal = this.#gateSignal;
    const judge = (seen: readonly GateResult[]) => {
      const results = this.#tell(row, seen);
      if (results.some(({ verdict }) => verdict !== "pass")) throw new GateError(row, results);
    };
    const patience = { seconds: this.#upgrade.gateSeconds, signal };
    judge(await hold(gates.first ?? [], patience));
    judge(await hold(gates.hold, patience));
    if (gates.watch !== undefined) judge(await watch(gates.watch.gates, gates.watch.seconds, signal));
    return secondsSince(started);
  }

  get #signals() {
    return this.#drive.options.signals;
  }

  get #upgrade() {
    return this.#drive.opened.config.upgrade;
  }

  get #gateSignal(): AbortSignal {
    return AbortSignal.any([this.#signals.stop, this.#drive.ledger.lost]);
  }

  /** @returns the results without secrets, as they are printed and recorded */
  #tell(row: Row, seen: readonly GateResult[]): readonly GateResult[] {
    const { ledger } = this.#drive;
    const results = seen.map((result) => ledger.clean(result));
    for (const { notSeen: _, ...result } of results) {
      ledger.tell({ type: "gate", phase: row, ...result });
      const notJudged = notJudgedIn(result.evidence);
      if (result.verdict !== "pass" || notJudged === undefined) continue;
      ledger.tell({ type: "warning", message: `${row}: ${result.gate}: not judged: ${notJudged}` });
    }
    return results;
  }

  /** Ends the run, on record and on the screen. */
  async finish({ explanation, ...ending }: Ending): Promise<RunResult> {
    const { id: run, from, to } = this.#identity;
    const result = {
      run,
      from,
      to,
      live: this.outputs?.live ?? from,
      seconds: secondsSince(this.#started),
      phases: this.phases,
      ...ending,
      ...(explanation !== undefined && { message: say(explanation), next: explanation.next }),
    };
    await this.#drive.ledger.conclude(result);
    return result;
  }

  /** Ends a run that was told to stop. */
  async interrupted(phase: Row, next: string): Promise<RunResult> {
    const signal = String(this.#signals.stop.reason);
    const explanation = {
      happened: `Interrupted by ${signal}`,
      state: "The operation in hand was finished and nothing else was started",
      next,
    };
    return this.finish({ outcome: "interrupted", exitCode: exitCodes.interrupted, signal, phase, explanation });
  }
}

/**
 * Applies a plan. What the provider had been asked to create when it died is looked for at once: nobody else would know.
 * @throws EngineDiedError, and what `Engine.up` throws
 */
export async function applyPlan(
  damage: Pick<Drive, "opened" | "ledger" | "options">,
  plan: Plan,
  cancel: AbortSignal,
): Promise<Applied> {
  const { opened, ledger } = damage;
  try {
    return await opened.engine.up(plan, cancel);
  } catch (error) {
    if (!(error instanceof CutShortError) || error.forgotten.length === 0) throw error;
    await repair(damage, error.forgotten).catch((reason) => {
      const names = error.forgotten.map(({ urn }) => nameOf(urn)).join(", ");
      const message = `${names} may have been created, and could not be looked for: ${ledger.redact(messageOf(reason))}. Look for what has this run's tag handover:run and is not in the stack`;
      ledger.tell({ type: "warning", message });
    });
    throw error;
  }
}
