import yargs, { type CommandModule } from "yargs";
import { ConfigError } from "../stacks/config.ts";
import { abortCommand } from "./commands/abort.ts";
import { approveCommand } from "./commands/approve.ts";
import { type Command, type GlobalArguments, note, printJson } from "./commands/command.ts";
import { historyCommand } from "./commands/history.ts";
import { rehearseCommand } from "./commands/rehearse.ts";
import { resumeCommand } from "./commands/resume.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { sandboxCommand } from "./commands/sandbox.ts";
import { statusCommand } from "./commands/status.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { exitCodes, HandoverError } from "./errors.ts";
import { LeaseHeldError, LeaseLostError, LedgerError } from "./ledger/errors.ts";

const json = process.argv.includes("--json");

/** Gives yargs a command; what its handler returns or throws becomes the exit code. */
function module<Arguments>({
  run,
  ...command
}: Command<Arguments>): CommandModule<GlobalArguments, GlobalArguments & Arguments> {
  return {
    ...command,
    handler: async (args) => {
      process.exitCode = await run(args as unknown as GlobalArguments & Arguments);
    },
  };
}

try {
  await yargs(process.argv.slice(2))
    .scriptName("handover")
    .usage("$0 COMMAND: replaces the frontend servers of a live site on AWS without dropping a request")
    .option("json", { type: "boolean", default: false, describe: "print JSON, and nothing else, on standard output" })
    .command(module(upgradeCommand))
    .command(module(statusCommand))
    .command(module(resumeCommand))
    .command(module(rollbackCommand))
    .command(module(approveCommand))
    .command(module(abortCommand))
    .command(module(historyCommand))
    .command(module(rehearseCommand))
    .command(module(sandboxCommand))
    .demandCommand(1, "Name a command; `handover --help` lists them.")
    .strict()
    .recommendCommands()
    .completion("completion", "print a script for the shell's completion")
    .epilogue(
      "Exit codes: 0 reached, 1 usage or configuration, 2 rolled back, 3 paused, 4 needs a person, 5 busy, 130 interrupted",
    )
    .version(false)
    .fail((message, error) => {
      if (error === undefined || error.name === "YError")
        throw new HandoverError("usage", exitCodes.usage, message ?? error?.message);
      throw error;
    })
    .parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, once and without a stack trace unless it is a bug. */
function report(error: unknown): number {
  const { code, exitCode, message } = describe(error);
  if (json) printJson({ outcome: "error", code, exitCode, message });
  else note(`handover: ${message}`);
  return exitCode;
}

function describe(error: unknown): { code: string; exitCode: number; message: string } {
  if (error instanceof ConfigError) return { code: error.code, exitCode: exitCodes.usage, message: error.message };
  if (error instanceof HandoverError) return error;
  if (error instanceof LeaseHeldError || error instanceof LeaseLostError)
    return { code: error.code, exitCode: exitCodes.busy, message: error.message };
  if (error instanceof LedgerError)
    return { code: error.code, exitCode: exitCodes.needsPerson, message: error.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: "bug",
    exitCode: exitCodes.needsPerson,
    message: `This should not have happened; please report it. What was in hand can be resumed.\n${text}`,
  };
}
