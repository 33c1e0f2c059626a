import * as api from "@pulumi/pulumi/automation/cmd.js";
import * as errors from "@pulumi/pulumi/automation/errors.js";
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";

interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Members of the Automation API whose types are not published. */
interface Internals {
  readonly CommandResult: new (stdout: string, stderr: string, code: number, error?: Error) => CommandResult;
  createCommandError(result: CommandResult): Error;
}
const { CommandResult, createCommandError } = { ...api, ...errors } as unknown as Internals;
/** The API's for a command that failed. */
const unknownCode = -2;

type Tell = (text: string) => void;

/**
 * The engine's command line for the Automation API. It has a process group of its own: a Ctrl-C in the driver's terminal
 * does not reach it, so the driver decides when the operation in hand ends.
 *
 * Answers from nothing what nobody reads here. After each update the API asks the
 * engine for the outputs, twice, and for the history: three more processes, half of a small update's time. The outputs
 * come with the update's own events, and the history is the ledger.
 */
export class BriefCommand implements PulumiCommand {
  readonly #inner: PulumiCommand;
  /** Set while an update runs. */
  brief = false;
  /** Called right before every process is started; what it throws is why there is none. */
  assertMayRun: () => void = () => {};

  private constructor(inner: PulumiCommand) {
    this.#inner = inner;
  }

  static async get(): Promise<BriefCommand> {
    return new BriefCommand(await PulumiCommand.get({ skipVersionCheck: true }));
  }

  get command(): PulumiCommand["command"] {
    return this.#inner.command;
  }

  get version(): PulumiCommand["version"] {
    return this.#inner.version;
  }

  /** As the Automation API calls it. */
  async run(
    args: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
    onOutput?: Tell,
    onError?: Tell,
    signal?: AbortSignal,
  ): Promise<CommandResult> {
    const [group, command] = args;
    if (this.brief && group === "stack" && command === "output") return new CommandResult("{}", "", 0);
    if (this.brief && group === "stack" && command === "history") return new CommandResult("[]", "", 0);
    this.assertMayRun();
    signal?.throwIfAborted();
    const child = execa(this.command, [...args, "--non-interactive"], {
      cwd,
      env: { ...env, PULUMI_AUTOMATION_API: "true" },
      stdin: "ignore",
      detached: true,
      maxBuffer: Number.POSITIVE_INFINITY,
      reject: false,
    });
    const cancel = () => child.kill("SIGINT");
    signal?.addEventListener("abort", cancel, { once: true });
    child.stdout.on("data", (data) => onOutput?.(String(data)));
    child.stderr.on("data", (data) => onError?.(String(data)));
    const result = await child;
    signal?.removeEventListener("abort", cancel);
    if (result instanceof Error) throw createCommandError(new CommandResult("", result.message, unknownCode, result));
    return new CommandResult(result.stdout, result.stderr, 0);
  }
}
