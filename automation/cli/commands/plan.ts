import { phaseNames } from "../../../stacks/runbook.ts";
import { exitCodes, HandoverError } from "../../errors.ts";
import { type Command, note, print, printJson, stackOption } from "./command.ts";

interface Arguments {
  readonly stack: string;
  readonly markdown: boolean;
  readonly "rollback-from"?: string;
}

export const planCommand: Command<Arguments> = {
  command: "plan",
  task: "upgrade",
  describe: "show what every phase would do before the first one starts; changes nothing and takes no lease",
  examples: [
    ["plan --stack production", "show what `upgrade` would do"],
    ["plan --stack production --markdown", "the same, for a pull request"],
    ["plan --stack production --rollback-from connect", "show what going back after `connect` would do"],
  ],
  builder: {
    ...stackOption,
    markdown: { type: "boolean", default: false, describe: "print Markdown, for a pull request" },
    "rollback-from": {
      choices: phaseNames,
      requiresArg: true,
      describe: "show what going back after this phase would do",
    },
  },
  async run({ stack, json, markdown, "rollback-from": rollbackFrom }) {
    if (json && markdown)
      throw new HandoverError("usage", exitCodes.usage, "Give one of --json and --markdown. Nothing was changed.");
    const [{ interrupts }, { review }, { planMarkdown }, { planTable }] = await Promise.all([
      import("../interrupts.ts"),
      import("../../plan/review.ts"),
      import("../../plan/markdown.ts"),
      import("../../plan/table.ts"),
    ]);
    const signals = interrupts(note);
    try {
      const phase = phaseNames.find((name) => name === rollbackFrom);
      const result = await review(stack, phase, signals.stop);
      if (json) printJson("plan", result.prediction);
      else print(markdown ? planMarkdown(result) : planTable(result));
      // As `doctor`: nothing was changed, and something is to be mended first.
      return result.refused ? exitCodes.usage : exitCodes.reached;
    } finally {
      signals.dispose();
    }
  },
};
