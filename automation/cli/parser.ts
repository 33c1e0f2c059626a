import yargs, { type Argv } from "yargs";
import manifest from "../../package.json" with { type: "json" };
import { packagePath } from "../../stacks/project.ts";
import { knownStacks } from "../engine/stack-file.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { didYouMean } from "../suggest.ts";
import { type Command, type GlobalArguments, tasks } from "./commands/command.ts";
import { commands } from "./commands/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: each command has arguments of its own
export type AnyCommand = Command<any>;
type Arguments = GlobalArguments & Record<string, unknown>;
/** Executes a command once its arguments are known. Default: runs it for its exit code. */
export type Execute = (command: AnyCommand, args: Arguments) => Promise<void>;

/**
 * The command line: what it understands, its help and its completion.
 * @param scriptName as it is called; for the completion script an absolute path, so that `./handover` is completed too
 * @throws HandoverError `usage` (exit 1) from `parseAsync`, with what was probably meant
 */
export function parser(args: readonly string[], execute: Execute, scriptName = "handover"): Argv<GlobalArguments> {
  const cli = yargs([...args])
    .scriptName(scriptName)
    .usage("$0 COMMAND: replaces the frontend servers of a live site on AWS without dropping a request")
    .option("json", { type: "boolean", default: false, describe: "print JSON and nothing else on standard output" })
    .option("verbose", { type: "boolean", describe: "tell every operation by name, and every look of every gate" })
    .option("quiet", { type: "boolean", conflicts: "verbose", describe: "tell of phases, warnings and failures only" })
    .demandCommand(1, "Name a command; `handover --help` lists them.")
    .strict()
    .wrap(Math.min(110, yargs().terminalWidth() || 110))
    .alias("help", "h")
    .version("version", "print the version", manifest.version)
    .example("$0 rehearse", "see a whole upgrade on this machine, without an AWS account")
    .example("$0 status --stack production", "what serves now, and how far a run has got")
    .example("$0 upgrade --stack production", "go to the generation that handover:live names")
    .epilogue(
      `\`$0 COMMAND --help\` shows a command's options and examples. Stacks are the files Pulumi.<stack>.yaml; the keys in them are explained in ${packagePath("Pulumi.staging.yaml")}.

Exit codes: 0 goal reached, 1 usage or configuration error, 2 rolled back, 3 paused, 4 needs a person, 5 busy, 130 interrupted`,
    );
  for (const command of commands) {
    const { run: _run, task: _task, examples, builder, ...rest } = command;
    cli.command({
      ...rest,
      builder: (builds: Argv) => {
        const built = typeof builder === "function" ? builder(builds as never) : builds.options(builder ?? {});
        for (const [example, does] of examples) (built as Argv).example(`$0 ${example}`, does);
        return built as Argv;
      },
      handler: async (given) => {
        const values = given as unknown as Arguments;
        checkValues(values, optionsOf(cli));
        await execute(command, values);
      },
    });
  }
  return cli
    .completion(
      "completion",
      "print a shell completion script",
      (_current: string, _argv: unknown, byDefault: () => void, done: (words: string[]) => void) => {
        if (["--stack", "--like"].includes(args.at(-2) ?? "")) done(knownStacks());
        else byDefault();
      },
    )
    .fail((message, error) => {
      if (error !== undefined && error.name !== "YError") throw error;
      throw usage(mend(message ?? error?.message, args, Object.keys(optionsOf(cli).key)));
    });
}

/** The help of the whole command line with its commands by task. Other help has no commands of ours, and is as it was. */
export function groupedHelp(help: string): string {
  const [, before = "", block = "", after = ""] = /^([\s\S]*?\n)Commands:\n((?: .*\n)+)([\s\S]*)$/.exec(help) ?? [];
  // A command begins at the second column, and its description may go on below it.
  const entries = block.split(/\n(?= {2}\S)/).map((entry) => entry.replace(/\n$/, ""));
  const nameOf = (entry: string) => /^ *handover (\S+)/.exec(entry)?.[1] ?? "";
  const groups = tasks.flatMap((task) => {
    const names = commands.filter((each) => each.task === task).map(({ command }) => command.split(" ")[0]);
    const own = entries.filter((entry) => names.includes(nameOf(entry)));
    return own.length === 0 ? [] : [`${headings[task]}:`, ...own, ""];
  });
  const known = commands.map(({ command }) => command.split(" ")[0]);
  const others = entries.filter((entry) => !known.includes(nameOf(entry)));
  return groups.length < tasks.length ? help : `${before}${[...groups, "Besides:", ...others].join("\n")}\n${after}`;
}

const headings: Readonly<Record<(typeof tasks)[number], string>> = {
  begin: "Begin",
  upgrade: "Upgrade",
  "when a run stops": "When a run stops",
  look: "Look",
  sandbox: "Sandbox",
};

/** Yargs's context of the current command; not part of its published types. */
function optionsOf(cli: Argv<GlobalArguments>) {
  return (cli as unknown as { getOptions(): { key: Record<string, unknown>; array: readonly string[] } }).getOptions();
}

function usage(message: string): HandoverError {
  return new HandoverError("usage", exitCodes.usage, message);
}

/** yargs takes `--rate fast` for a number, and `--stack a --stack b` for a list. */
function checkValues(values: Arguments, { key, array }: ReturnType<typeof optionsOf>): void {
  for (const name of Object.keys(key)) {
    const value = values[name];
    if (Number.isNaN(value)) throw usage(`--${name}: must be a number`);
    if (Array.isArray(value) && !array.includes(name)) throw usage(`--${name}: was given twice`);
  }
}

/** A usage error in words that say what to type instead. */
function mend(message: string, args: readonly string[], known: readonly string[]): string {
  const isValue = (index: number) => /^(--(?!json$)|-s$)/.test(args[index - 1] ?? "");
  const [first] = args.filter((arg, index) => !arg.startsWith("-") && !isValue(index));
  const names = commands.map(({ command }) => command.split(" ")[0] ?? "");
  if (first !== undefined && ![...names, "completion"].includes(first)) {
    const match = didYouMean(first, names, (name) => `\`handover ${name}\``);
    return `There is no command "${first}"${match || "; `handover --help` lists them."}`;
  }
  const unknown = args
    .filter((arg) => arg.startsWith("--") && arg !== "--")
    .map((arg) => (arg.slice(2).split("=")[0] ?? "").replace(/^no-/, ""))
    .find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const match = didYouMean(unknown, known, (name) => `--${name}`);
    return `There is no option --${unknown}${match || `; see: handover ${first ?? ""} --help`}`;
  }
  if (/^Missing required argument: stack$/.test(message)) {
    return `Name the stack, for example --stack ${knownStacks()[0] ?? "production"}. Known stacks: ${knownStacks().join(", ") || "none"}.`;
  }
  return message;
}
