import { exitCodes } from "../../errors.ts";
import type { InputDifference } from "../../plan/differences.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

export const inputsCommand: Command<{ stack: string }> = {
  command: "inputs <action>",
  task: "look",
  describe: "show how the goal's inputs differ from those of the live generation; secrets are masked",
  examples: [["inputs diff --stack production", "what an upgrade would change in the servers' environment"]],
  builder: (yargs) =>
    yargs
      .positional("action", { choices: ["diff"] as const, demandOption: true, describe: "what to do" })
      .options(stackOption),
  async run({ stack, json }) {
    const [{ openStack }, { inputDifferences }] = await Promise.all([
      import("../../run/open-stack.ts"),
      import("../../plan/differences.ts"),
    ]);
    const opened = await openStack(stack, { create: false });
    try {
      const { config, last, secrets } = opened;
      const [from, to] = [last?.outputs.live ?? null, config.live];
      const inputsOf = (name: string | null) => config.generations[name ?? ""]?.inputs ?? {};
      const changes = inputDifferences(inputsOf(from), inputsOf(to), secrets);
      if (json) printJson("inputs-diff", { stack, from, to, changes });
      else print([`${from ?? "nothing"} -> ${to}: ${changes.length} inputs differ`, ...changes.map(line)]);
      return exitCodes.reached;
    } finally {
      opened.close();
    }
  },
};

function line({ name, before, after }: InputDifference): string {
  if (before === null) return `+ ${name}=${after}`;
  return after === null ? `- ${name}=${before}` : `~ ${name}: ${before} -> ${after}`;
}
