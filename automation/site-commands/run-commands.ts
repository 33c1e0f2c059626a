import type { Listener } from "../documents/events.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { inputsOf, type Session } from "../run/open-stack.ts";
import type { RunLedger } from "../run/run-ledger.ts";
import type { GatedRow } from "../runbook/gates.ts";
import type { RunIdentity } from "../runbook/updates.ts";
import { type CommandStates, isFrozen, once, type Verdict } from "./command-states.ts";
import { ThawError, whileFrozen } from "./freeze.ts";
import { type SiteCommand, SiteCommands } from "./site-commands.ts";

export interface RunCommandsOptions {
  readonly session: Session;
  readonly identity: RunIdentity;
  readonly ledger: RunLedger;
  readonly listener: Listener;
  /** Ends the command in hand. A thaw is never ended by it. */
  readonly cancel: AbortSignal;
  /** How the run's commands ended before. */
  readonly states: CommandStates;
  /** What a person says of the migration command that was cut off. */
  readonly verdict?: Verdict;
}

/** A command that must run once was begun before, and it is not known what it did. */
export class CutOffError extends HandoverError {
  constructor(what: string, { id }: RunIdentity, stack: string, next: "resume" | "rollback") {
    const again = `handover ${next} --stack ${stack} --migration`;
    super(
      "command-cut-off",
      exitCodes.paused,
      `${what} was begun before and did not end well, so it is not run a second time. It may have taken effect, in part or in whole, and may even be running still: look at its output with \`handover history ${id} --stack ${stack}\`, and at the database. If it is complete: \`${again} done\`. To run it once more: \`${again} again\``,
    );
  }
}

/** The site's own commands at their places in the runbook. Each returns how long it was waited for, in seconds. */
export class RunCommands {
  readonly #options: RunCommandsOptions;
  readonly #commands: SiteCommands;

  constructor(options: RunCommandsOptions) {
    const { session, identity, ledger, listener, states } = options;
    this.#options = options;
    const environment = {
      ...inputsOf(session.config, identity.to),
      HANDOVER_STACK: session.stack,
      HANDOVER_RUN: identity.id,
      HANDOVER_FROM: identity.from,
      HANDOVER_TO: identity.to,
    };
    this.#commands = new SiteCommands({ environment, ledger, listener, states });
  }

  /** How the run's commands ended so far. */
  get states(): CommandStates {
    return this.#commands.states;
  }

  /** Runs the migrations once in a run. @throws CutOffError, GateError */
  async migrate(): Promise<number> {
    const { session, identity } = this.#options;
    const { migrate } = session.config.upgrade;
    if (migrate === undefined) return 0;
    const { command, timeoutSeconds, idempotent } = migrate;
    const cutOff = new CutOffError("The migration", identity, session.stack, "resume");
    return this.#once({ purpose: "migrate", command, timeoutSeconds }, idempotent, cutOff);
  }

  /** Undoes the migrations, once in a run, if there is a command for it. @throws CutOffError, GateError */
  async undoMigrations(): Promise<number> {
    const { session, identity } = this.#options;
    const { rollbackCommand: command, timeoutSeconds, idempotent = false } = session.config.upgrade.migrate ?? {};
    if (command === undefined) return 0;
    const cutOff = new CutOffError("Undoing the migration", identity, session.stack, "rollback");
    return this.#once({ purpose: "undo-migrations", command, timeoutSeconds }, idempotent, cutOff);
  }

  /** Quiets the old servers before addresses leave them. @throws GateError */
  async beforeMove(): Promise<number> {
    const { beforeMove } = this.#options.session.config.upgrade;
    return beforeMove === undefined ? 0 : this.#run("move-addresses", { purpose: "before-move", ...beforeMove });
  }

  /** Takes a snapshot while the database is frozen, where the site says how. @throws ThawError; else what the work throws */
  async whileFrozen<T>(work: () => Promise<T>): Promise<T> {
    const { session, identity } = this.#options;
    const { backup } = session.config.upgrade;
    const { database } = session.config.site;
    if (backup === undefined || database === undefined) return work();
    const { freeze, timeoutSeconds } = backup;
    const taken = () => session.aws.snapshots.ofRun(database, session.stack, identity.id);
    const before = new Set((await taken()).map(({ id }) => id));
    return whileFrozen(
      {
        freeze: async () => {
          await this.#run("backup", { purpose: "freeze", ...freeze, timeoutSeconds });
        },
        thaw: () => this.#thaw(),
        isTaken: async () => (await taken()).some(({ id, startedAt }) => startedAt !== undefined && !before.has(id)),
      },
      work,
    );
  }

  /** Thaws what a run that was killed left frozen. @throws ThawError */
  async thawIfFrozen(): Promise<void> {
    if (!isFrozen(this.states)) return;
    try {
      await this.#thaw();
    } catch (error) {
      throw new ThawError(messageOf(error), { cause: error });
    }
  }

  async #thaw(): Promise<void> {
    const { backup } = this.#options.session.config.upgrade;
    if (backup === undefined) throw new Error("handover:upgrade.backup.thaw is gone from the configuration");
    const { thaw, timeoutSeconds } = backup;
    await this.#run("backup", { purpose: "thaw", ...thaw, timeoutSeconds }, new AbortController().signal);
  }

  async #once(command: SiteCommand, idempotent: boolean, cutOff: CutOffError): Promise<number> {
    const { purpose } = command;
    const { verdict, listener } = this.#options;
    const state = this.states[purpose];
    const decision = once(state, { idempotent, verdict });
    if (decision === "ask") throw cutOff;
    if (decision === "run") return this.#run("migrate", command);
    if (state !== "done") await this.#commands.settle("migrate", purpose);
    listener({ type: "warning", message: `${command.command[0]} was run before in this run, and is not run again` });
    return 0;
  }

  async #run(phase: GatedRow, command: SiteCommand, signal = this.#options.cancel): Promise<number> {
    const { ledger, listener } = this.#options;
    const result = await this.#commands.run(phase, command, signal);
    listener({ type: "gate", phase, ...result });
    if (command.purpose !== "thaw") ledger.noteGate(phase, result);
    if (result.verdict === "fail") throw new GateError(phase, [result]);
    return result.seconds;
  }
}
