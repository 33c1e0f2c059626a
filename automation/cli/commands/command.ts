import type { CommandModule } from "yargs";
import type { DocumentName, DocumentOf } from "../../documents/documents.ts";
import { plain } from "../terminal.ts";

/** Arguments that every command has. */
export interface GlobalArguments {
  readonly json: boolean;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/**
 * A command of the command line: data, and a handler that returns its exit code. What takes long to load (the AWS SDK,
 * the engine) is imported by the handler, so that help and completion are quick.
 */
export type Command<Arguments> = Omit<CommandModule<GlobalArguments, GlobalArguments & Arguments>, "handler"> & {
  readonly command: string;
  readonly task: (typeof tasks)[number];
  /** Commands to type, and what each does; `--help` shows them. */
  readonly examples: readonly (readonly [command: string, does: string])[];
  readonly run: (args: GlobalArguments & Arguments) => Promise<number>;
};

/** What a command is for, as help groups them. */
export const tasks = ["begin", "upgrade", "when a run stops", "look", "sandbox"] as const;

/**
 * Variables that name the stack where no option does, the first that is set. The launcher sets the last, to the stack that
 * `pulumi stack select` chose.
 */
export const stackVariables = ["HANDOVER_STACK", "PULUMI_STACK", "HANDOVER_SELECTED_STACK"] as const;

export const stackOption = {
  stack: {
    alias: "s",
    type: "string",
    demandOption: true,
    default: stackVariables.map((name) => process.env[name]).find((stack) => stack),
    defaultDescription: "HANDOVER_STACK, else PULUMI_STACK, else that of pulumi stack select",
    describe: "stack, as in Pulumi.<stack>.yaml",
    requiresArg: true,
  },
} as const;

/** How late a sandbox is. */
export const lagOptions = {
  "balancer-lag": {
    type: "number",
    default: 3,
    requiresArg: true,
    describe: "longest delay, in seconds, until a node of the load balancer learns of a change",
  },
  "stale-reads": {
    type: "number",
    requiresArg: true,
    describe: "longest delay, in seconds, until a Describe call shows a change (default: 1)",
  },
} as const;

/** Prints a document of a declared shape: one line, and with `--json` nothing else is on standard output. */
export function printJson<Name extends DocumentName>(_shape: Name, value: Omit<DocumentOf<Name>, "version">): void {
  process.stdout.write(`${JSON.stringify({ version: 1, ...value })}\n`);
}

export function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${plain(line, process.stdout)}\n`).join(""));
}

/** For progress and remarks; standard output is for results. */
export function note(line: string): void {
  process.stderr.write(`${plain(line, process.stderr)}\n`);
}
