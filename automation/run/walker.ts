import { types } from "../../stacks/names.ts";
import { type Outputs, withoutAddress } from "../../stacks/outputs.ts";
import type { Outcome, PhaseReport, RunResult } from "../documents/events.ts";
import { secondsSince } from "../elapsed.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import type { Plan } from "../engine/plan.ts";
import { type ExitCode, type Explanation, exitCodes, say } from "../errors.ts";
import { type GateContext, sharesIn } from "../gates/context.ts";
import type { Gate } from "../gates/gate.ts";
import { GateError } from "../gates/gate-error.ts";
import { sessionGates } from "../gates/sessions.ts";
import { canonicalJson, sha256 } from "../ledger/canonical.ts";
import { addressUsers } from "../runbook/addresses.ts";
import { arrayServing } from "../runbook/array.ts";
import { gatesBefore, gatesOf, type RowGates } from "../runbook/gates.ts";
import { descriptionOf, factsOf, type LastPlanned, type Row, type RunIdentity, type Update } from "../runbook/rows.ts";
import { restored } from "../runbook/servers.ts";
import { lastUpdate, updatesOf } from "../runbook/updates.ts";
import type { CommandStates } from "../site-commands/command-states.ts";
import { RunCommands } from "../site-commands/run-commands.ts";
import { ApprovalNeeded } from "./approval-needed.ts";
import { lookAgain } from "./before.ts";
import { checkCredentials } from "./credentials.ts";
import type { Drive } from "./drive.ts";
import { HeldGates } from "./held-gates.ts";
import { OldServers } from "./old-servers.ts";
import { Precautions } from "./precautions.ts";
import { QuietMoves } from "./quiet-moves.ts";
import { repair } from "./repair.ts";
import { Updater } from "./updater.ts";

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
  /** Servers of both generations that are there, by name, where others ended: those do not come again. Default: all. */
  readonly left?: readonly string[] | undefined;
  /** Old servers, by name, whose Elastic IPs stay with the new ones in the row's first update. Default: none. */
  readonly short?: readonly string[] | undefined;
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
  readonly #updater: Updater;
  readonly #gates: HeldGates;
  readonly #precautions: Precautions;
  readonly #quiet: QuietMoves;
  #opening: Promise<unknown> | undefined;
  #oldServers: OldServers | undefined;
  /** The shares of the traffic that this process has seen on every node of the load balancer. */
  #settledShares: string | undefined;
  /** The site's own commands. */
  readonly commands: RunCommands;
  readonly phases: PhaseReport[] = [];
  /** Rows of which something may be in effect. */
  readonly begun = new Set<Row>();

  /** @param states how the run's commands ended before */
  constructor(drive: Drive, { id, from, to }: RunIdentity, states: CommandStates = {}) {
    const { opened, ledger, options, baseline } = drive;
    this.#drive = drive;
    // Nothing more than that: what a person approves is a digest over it, in this process and in one that goes on.
    this.#identity = { id, from, to, ...(baseline?.down && { atOnce: true }) };
    this.#cancel = AbortSignal.any([options.signals.cancel, ledger.lost]);
    this.#updater = new Updater(drive, this.#identity, this.#cancel);
    this.#gates = new HeldGates(drive);
    this.#precautions = new Precautions(drive, this.#identity, this.#gates);
    this.#quiet = new QuietMoves(drive, this.#gates);
    this.commands = new RunCommands({
      ...opened,
      ...{ identity: this.#identity, snapshots: opened.aws.snapshots, ledger, cancel: this.#cancel },
      ...{ states, ruling: options.migration },
    });
  }

  /** The run's drive, with the site as it was before the new generation had traffic. */
  get drive(): Drive {
    return this.#drive;
  }

  /** The stack's outputs after the last update; undefined when there was none. */
  get outputs(): Outputs | undefined {
    return this.#updater.outputs;
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
      this.#oldServers = undefined;
      await this.#updater.drop();
      await ledger.written();
      throw error;
    }
  }

  /**
   * One row that does not wait for a person when the engine dies in the middle of it: what that left is repaired, and
   * the row applied again. Once; a second death is for whoever goes on.
   * @throws EngineDiedError
   */
  async phaseOutliving(row: Row, options: PhaseOptions = {}): Promise<void> {
    const { ledger } = this.#drive;
    try {
      await this.phase(row, options);
    } catch (error) {
      if (!(error instanceof EngineDiedError) || this.#signals.stop.aborted) throw error;
      ledger.tell({ type: "warning", message: `${ledger.redact(error.message)} ${row} is done again` });
      await repair(this.#drive);
      await this.phase(row, options);
    }
  }

  /** The row in which the stack is, once more: what somebody took from a generation is created anew, and proven. */
  async restore(outputs: Outputs, generation: string): Promise<void> {
    const { row } = await this.again(outputs);
    const context = this.#context(this.outputs ?? outputs);
    await this.#gates.hold(row, {
      hold: [...restored(context, generation), ...arrayServing(context, generation)],
    });
  }

  /** The row in which the stack is, once more, where nothing of a server is missing. */
  async again(outputs: Outputs): Promise<Update> {
    const update = lastUpdate(outputs, this.#identity);
    await this.#updater.apply(update, await this.#updater.plan(update, { restores: true }), { restores: true });
    return update;
  }

  /** Waits for gates on which a row does not depend. @returns whether they passed */
  async waitFor(row: Row, gates: readonly Gate[]): Promise<boolean> {
    try {
      await this.#gates.hold(row, { hold: gates });
      return true;
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      return false;
    }
  }

  /** An update of the way back without old servers that cannot serve: they are held against nobody. */
  async without(update: Update, from: string): Promise<void> {
    const { frontends = [] } = this.outputs?.generations[from] ?? {};
    const bad = frontends
      .filter(({ name }) => update.short?.includes(name))
      .map(({ instanceId: id, name }) => ({ kind: "server", id, name, seen: "cannot serve" }) as const);
    const { baseline = { down: false, bad: [], unseen: [] } } = this.#drive;
    this.#drive = { ...this.#drive, baseline: { ...baseline, bad: [...baseline.bad, ...bad] } };
    try {
      await this.#update(update, {});
    } catch (error) {
      await this.#updater.drop();
      await this.#drive.ledger.written();
      throw error;
    }
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
    this.#gates.tell(row, servers.news());
    if (servers.stuck.length > 0)
      throw new ApprovalNeeded(row, digest, `, since sessions have not ended on ${servers.stuck.join(", ")}`);
    return secondsSince(started);
  }

  #watchOldServers(mayEnd: boolean): OldServers {
    const { outputs } = this;
    const gates = mayEnd || outputs === undefined ? new Map() : sessionGates(this.#context(outputs));
    const { sessions, gateSeconds: seconds } = this.#upgrade;
    return new OldServers(gates, { seconds, terminate: sessions?.onLimit === "terminate", signal: this.#gates.signal });
  }

  async #updates(row: Row, options: PhaseOptions): Promise<Work> {
    const work = { operations: 0, waitedSeconds: 0 };
    const { shape } = this.#drive.opened;
    const updates = updatesOf(shape, row, options.lastPlanned, options.short);
    for (const [index, each] of updates.entries()) {
      const { left, short = [] } = options;
      const update = {
        ...each,
        ...(left !== undefined && { left }),
        ...(each.step === 1 && short.length > 0 && { short }),
      };
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
    const { row } = update;
    const { command } = factsOf(row);
    const before = this.outputs;
    // A server that its address has left may not be reached any more, and then nothing waits for it but the run's end.
    this.#opening = Promise.all([this.#opening, this.#quiet.openLeft()]);
    const plan = await this.#updater.plan(update);
    if (needsApproval(plan)) {
      // The plan of the row as a whole has the same digest: a person approves that, whoever's sessions end first.
      if (update.left !== undefined) await this.#updater.plan({ row });
      throw new ApprovalNeeded(row, plan.digest);
    }
    let waitedSeconds = 0;
    if (before !== undefined)
      waitedSeconds += await this.#hold(row, gatesBefore(row, this.#context(before, before)), before);
    const precautions = before && (await this.#precautions.take(row, plan, before));
    waitedSeconds += precautions?.waitedSeconds ?? 0;
    this.#begin(row);
    if (command === "quiets" && before !== undefined && this.#isFirstMove(plan, before))
      waitedSeconds += await this.commands.beforeMove();
    const users = before && addressUsers(row, this.#context(before), plan.operations);
    users?.begin();
    try {
      if (before !== undefined) waitedSeconds += await this.#quiet.move(row, plan, before);
      const apply = () => this.#updater.apply(update, plan);
      const takesSnapshot = command === "freezes" && plan.operations.length > 0;
      const applied = takesSnapshot ? await this.commands.whileFrozen(apply) : await apply();
      await precautions?.afterwards();
      if (next !== undefined) this.#updater.planAhead(next);
      waitedSeconds += await this.#hold(row, gatesOf(row, this.#context(applied.outputs, before)), applied.outputs);
      if (users !== undefined) waitedSeconds += await this.#gates.hold(row, { hold: [users] });
      return { operations: applied.operations.length, waitedSeconds: waitedSeconds + applied.cloudSeconds };
    } catch (error) {
      await this.#quiet.open();
      throw error;
    } finally {
      users?.end();
    }
  }

  /** @returns how long was waited, in seconds */
  async #hold(row: Row, gates: RowGates, outputs: Outputs): Promise<number> {
    const seconds = await this.#gates.hold(row, gates);
    if (gates.first !== undefined && gates.first.length > 0) this.#settledShares = sharesIn(outputs);
    return seconds;
  }

  /** Whether the first Elastic IP of all leaves the old servers. */
  #isFirstMove({ operations }: Plan, before: Outputs): boolean {
    const moves = operations.some(({ type }) => type === types.eipAssociation);
    return moves && withoutAddress(before, this.#identity.from).length === 0;
  }

  #context(after: Outputs, before?: Outputs): GateContext {
    const { opened, ledger, baseline } = this.#drive;
    const seen = { baseline, forwardAt: this.#updater.forwardAt, settledShares: this.#settledShares };
    const run = { ...this.#identity, ...seen, before, after };
    return { ...opened, ...run, redact: (text) => ledger.redact(text) };
  }

  /** Right before the first thing that a row does: what was only planned needs no way back. */
  #begin(row: Row): void {
    if (this.begun.has(row)) return;
    this.#drive.ledger.note({ type: "phase-started", phase: row });
    this.begun.add(row);
  }

  get #signals() {
    return this.#drive.options.signals;
  }

  get #upgrade() {
    return this.#drive.opened.config.upgrade;
  }

  /** Ends the run, on record and on the screen. */
  async finish({ explanation, ...ending }: Ending): Promise<RunResult> {
    const { id: run, from, to } = this.#identity;
    await Promise.all([this.#opening, this.#quiet.open()]);
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
