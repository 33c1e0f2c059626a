import "./late-modules.ts";
import { join } from "node:path";
import { ConfigError } from "../../stacks/config.ts";
import { hasProject, packageDirectory } from "../../stacks/project.ts";
import { errors } from "../documents/situations.ts";
import { exitCodes, HandoverError, say } from "../errors.ts";
import { LedgerError } from "../ledger/errors.ts";
import { explainNotSeen } from "../run/blind.ts";
import { note, printJson } from "./commands/command.ts";
import { initCommand } from "./commands/init.ts";
import { type Execute, groupedHelp, parser } from "./parser.ts";

const args = process.argv.slice(2);
const json = args.some((arg) => /^--json(=true)?$/.test(arg));
const completes = args[0] === "completion";

// A reader that is gone (a closed terminal, `| head`) is no reason to stop in the middle of a run; the ledger has it all.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

// Node would end with 1, which says that nothing was begun.
process.on("uncaughtException", (error) => process.exit(report(error)));

let stack = "";

const execute: Execute = async (command, given) => {
  stack = String(given.stack ?? "");
  const named = args.some((arg) => /^(--stack(=|$)|-s)/.test(arg));
  if (given.stack !== undefined && !named && !json && !given.quiet && command !== initCommand)
    note(`stack ${given.stack}`);
  if (command !== initCommand && !hasProject())
    throw new HandoverError("no-project", exitCodes.usage, {
      happened: "Neither this folder nor one above it is a project: there is no Pulumi.yaml",
      state: "Nothing was changed",
      first: "Go to the project's folder, or make one in an empty folder: npx handover init",
    });
  process.exitCode = await command.run(given);
};

try {
  // With a callback yargs hands its own output (help, the completion script) over instead of printing it and exiting.
  const cli = parser(args, execute, completes ? join(packageDirectory, "handover") : "handover");
  await cli.parseAsync([...args], {}, (_error, { version }, output) => {
    if (output === "") return;
    if (!json) process.stdout.write(`${groupedHelp(output)}\n`);
    else if (version) printJson("release", { release: output });
    else if (completes) printJson("completion", { script: output });
    else printJson("help", { help: groupedHelp(output) });
  });
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, once and without a stack trace unless it is a bug. */
function report(error: unknown): number {
  const { code, exitCode, message } = describe(error);
  if (json) printJson("error", { error: { code, message } });
  else note(`handover: ${message}`);
  return exitCode;
}

function describe(error: unknown): { code: string; exitCode: number; message: string } {
  if (error instanceof ConfigError) return { code: error.code, exitCode: exitCodes.usage, message: error.message };
  if (error instanceof HandoverError) return error;
  const notSeen = explainNotSeen(error);
  if (notSeen !== undefined)
    return {
      code: "not-seen",
      exitCode: exitCodes.paused,
      message: say({ ...notSeen, state: "Nothing that serves was touched" }),
    };
  if (error instanceof LedgerError)
    return { code: error.code, exitCode: errors[error.code].exitCodes[0], message: error.explain(stack) };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: "bug",
    exitCode: exitCodes.needsPerson,
    message: `This should not have happened; please report it. What was in hand can be resumed.\n${text}`,
  };
}
