import type { Config, Input } from "../../stacks/config.ts";
import type { PhaseName } from "../../stacks/runbook.ts";
import type { Snapshots } from "../cloud/snapshots.ts";
import { exitCodes, HandoverError, messageOf, toType } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { type Purpose, purpose } from "../ledger/events.ts";
import { phaseThat, type RunIdentity } from "../runbook/rows.ts";
import { type CommandStates, isFrozen, once, type Ruling } from "./command-states.ts";
import { ThawError, whileFrozen } from "./freeze.ts";
import { type RunRecord, type SiteCommand, SiteCommands } from "./site-commands.ts";

export interface RunCommandsOptions {
  /** The stack's name. */
  readonly stack: string;
  /** See `siteName`. */
  readonly site: string;
  readonly config: Config;
  readonly identity: RunIdentity;
  readonly snapshots: Pick<Snapshots, "ofRun">;
  readonly ledger: RunRecord;
  /** Ends the command in hand. A thaw is never ended by it. */
  readonly cancel: AbortSignal;
  /** The ends of the run's commands before. */
  readonly states: CommandStates;
  /** A person's word on the migration command that was cut off. */
  readonly ruling?: Ruling;
}

/** A command that must run once was begun before, and it is not known what it did. */
export class CutOffError extends HandoverError {
  constructor(command: string, { id }: RunIdentity, stack: string, next: "resume" | "rollback") {
    const type = (ruling: Ruling) => toType(next, stack, "--migration", ruling);
    super("command-cut-off", exitCodes.paused, {
      happened: `${command} was begun before and did not end well, so it is not run a second time`,
      state: `It may have taken effect, in part or in whole, and may even be running still: look at the database, and at its output with \`handover history ${id} --stack ${stack}\``,
      or: [
        { to: "go on since it is complete", type: type("done") },
        { to: "run it once more", type: type("again") },
      ],
    });
  }
}

/** The site's own commands at their places in the runbook. Each returns how long it was waited for, in seconds. */
export class RunCommands {
  readonly #options: RunCommandsOptions;
  readonly #commands: SiteCommands;

  constructor(options: RunCommandsOptions) {
    const { stack, config, identity, ledger, states } = options;
    this.#options = options;
    const environment = {
      ...inputsOf(config, identity.to),
      HANDOVER_STACK: stack,
      HANDOVER_RUN: identity.id,
      HANDOVER_FROM: identity.from,
      HANDOVER_TO: identity.to,
    };
    this.#commands = new SiteCommands({ environment, ledger, states });
  }

  /** The ends of the run's commands so far. */
  get states(): CommandStates {
    return this.#commands.states;
  }

  /** Runs the migrations once in a run. @throws CutOffError, GateError */
  async migrate(): Promise<number> {
    const { stack, config, identity } = this.#options;
    const { migrate } = config.upgrade;
    if (migrate === undefined) return 0;
    const { command, timeoutSeconds, idempotent } = migrate;
    const cutOff = new CutOffError("The migration", identity, stack, "resume");
    return this.#once({ purpose: purpose.enum.migrate, command, timeoutSeconds }, idempotent, cutOff);
  }

  /** Undoes the migrations, once in a run, if there is a command for it. @throws CutOffError, GateError */
  async undoMigrations(): Promise<number> {
    const { stack, config, identity } = this.#options;
    const { rollbackCommand: command, timeoutSeconds, idempotent = false } = config.upgrade.migrate ?? {};
    if (command === undefined) return 0;
    const cutOff = new CutOffError("Undoing the migration", identity, stack, "rollback");
    return this.#once({ purpose: "undo-migrations", command, timeoutSeconds }, idempotent, cutOff);
  }

  /** Quiets the old servers before addresses leave them. @throws GateError */
  async beforeMove(): Promise<number> {
    const { beforeMove } = this.#options.config.upgrade;
    return beforeMove === undefined ? 0 : this.#run({ purpose: "before-move", ...beforeMove });
  }

  /** Takes a snapshot while the database is frozen, where the site says how. @throws ThawError; else what the work throws */
  async whileFrozen<T>(work: () => Promise<T>): Promise<T> {
    const { site, config, identity, snapshots } = this.#options;
    const { backup } = config.upgrade;
    const { database } = config.site;
    if (backup === undefined || database === undefined) return work();
    const { freeze, timeoutSeconds } = backup;
    const taken = () => snapshots.ofRun(database, site, identity.id);
    const before = new Set((await taken()).map(({ id }) => id));
    return whileFrozen(
      {
        freeze: async () => {
          await this.#run({ purpose: "freeze", ...freeze, timeoutSeconds });
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
    const { backup } = this.#options.config.upgrade;
    if (backup === undefined) throw new Error("handover:upgrade.backup.thaw is gone from the configuration");
    const { thaw, timeoutSeconds } = backup;
    await this.#run({ purpose: "thaw", ...thaw, timeoutSeconds }, new AbortController().signal);
  }

  async #once(command: SiteCommand, idempotent: boolean, cutOff: CutOffError): Promise<number> {
    const { ruling, ledger } = this.#options;
    const state = this.states[command.purpose];
    const decision = once(state, { idempotent, ruling });
    if (decision === "ask") throw cutOff;
    if (decision === "run") return this.#run(command);
    if (state !== "done") await this.#commands.settle(phaseOf[command.purpose], command.purpose);
    const message = `${command.command[0]} was run before in this run, and is not run again`;
    ledger.tell({ type: "warning", message });
    return 0;
  }

  async #run(command: SiteCommand, signal = this.#options.cancel): Promise<number> {
    const phase = phaseOf[command.purpose];
    const result = await this.#commands.run(phase, command, signal);
    this.#options.ledger.tell({ type: "gate", phase, ...result });
    if (result.verdict === "fail") throw new GateError(phase, [result]);
    return result.seconds;
  }
}

/** The phase to which a command belongs. */
const phaseOf: Readonly<Record<Purpose, PhaseName>> = {
  freeze: phaseThat("freezes"),
  thaw: phaseThat("freezes"),
  migrate: phaseThat("migrates"),
  "undo-migrations": phaseThat("migrates"),
  "before-move": phaseThat("quiets"),
};

/** A generation's inputs as environment variables. */
function inputsOf(config: Config, generation: string): Record<string, string> {
  const inputs = Object.entries(config.generations[generation]?.inputs ?? {});
  return Object.fromEntries(inputs.map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: Input): string {
  if (typeof value !== "string") throw new Error("A secret input was not decrypted.");
  return value;
}
