import type { CommandModule } from "yargs";

/** What every command is given besides its arguments. */
export interface GlobalArguments {
  readonly json: boolean;
}

/** A command of the command line: data and a handler that returns its exit code. */
export type Command<Arguments> = Omit<CommandModule<GlobalArguments, GlobalArguments & Arguments>, "handler"> & {
  readonly run: (args: GlobalArguments & Arguments) => Promise<number>;
};

export const stackOption = {
  stack: { type: "string", demandOption: true, describe: "stack, as in Pulumi.<stack>.yaml", requiresArg: true },
} as const;

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

/** For progress and remarks; standard output is for results. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
