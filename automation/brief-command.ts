import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** `PulumiCommand` as the Automation API calls it; `run` is not part of its published types. */
interface RunnableCommand extends PulumiCommand {
  run(args: string[], ...rest: unknown[]): Promise<CommandResult>;
}

/**
 * The engine's command line for the Automation API, without what nobody reads here. After each update the API asks the
 * engine for the outputs, twice, and for the history: three more processes, half of a small update's time. The outputs
 * come with the update's own events, and the history is the ledger.
 */
export class BriefCommand implements RunnableCommand {
  readonly #inner: RunnableCommand;
  /** Set while an update runs. */
  brief = false;
  /** Called right before every process is started; what it throws is why there is none. */
  assertMayRun: () => void = () => {};

  private constructor(inner: RunnableCommand) {
    this.#inner = inner;
  }

  static async get(): Promise<BriefCommand> {
    return new BriefCommand((await PulumiCommand.get({ skipVersionCheck: true })) as RunnableCommand);
  }

  get command(): PulumiCommand["command"] {
    return this.#inner.command;
  }

  get version(): PulumiCommand["version"] {
    return this.#inner.version;
  }

  async run(args: string[], ...rest: unknown[]): Promise<CommandResult> {
    const [group, command] = args;
    if (this.brief && group === "stack" && command === "output") return { stdout: "{}", stderr: "", code: 0 };
    if (this.brief && group === "stack" && command === "history") return { stdout: "[]", stderr: "", code: 0 };
    this.assertMayRun();
    // The API listens for the signal once the process is there: what came before, it would not hear.
    const signal = rest.at(-1);
    if (signal instanceof AbortSignal) signal.throwIfAborted();
    return this.#inner.run(args, ...rest);
  }
}
