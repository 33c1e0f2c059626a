import { exitCodes, HandoverError, toType } from "../../errors.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

export const reportCommand: Command<{ stack: string; run?: string; markdown: boolean }> = {
  command: "report [run]",
  task: "look",
  describe: "describe a run from the ledger: what, who, when, each phase with its evidence, and how it ended",
  examples: [
    ["report --stack production", "the newest run"],
    ["report 20261124-093015-5f3a --stack production --json", "one run as a JSON document, with all evidence"],
    ["report --stack production --markdown", "for a pull request or a CI job's summary"],
  ],
  builder: (yargs) =>
    yargs
      .positional("run", { type: "string", describe: "id of a run, as `history` lists it (default: the newest)" })
      .options({
        ...stackOption,
        markdown: { type: "boolean", default: false, describe: "print Markdown" },
      }),
  async run({ stack, run, markdown, json }) {
    const [{ readJournal }, { ledgerOf }, { placeOf }, { runReport }, { reportLines, reportMarkdown }] =
      await Promise.all([
        import("../../ledger/reader.ts"),
        import("../../run/run-ledger.ts"),
        import("../../run/place.ts"),
        import("../run-report.ts"),
        import("../run-report-text.ts"),
      ]);
    const table = ledgerOf(await placeOf(stack));
    try {
      const journal = readJournal(table);
      const id = run ?? (await journal.runs())[0]?.run;
      const records = id === undefined ? [] : await journal.events(id);
      if (records.length === 0) {
        const which = run === undefined ? "no run yet" : `no run "${run}"`;
        throw new HandoverError("unknown-run", exitCodes.usage, {
          happened: `There is ${which} on stack "${stack}"`,
          next: toType("history", stack),
        });
      }
      const report = runReport(records);
      if (json) printJson("report", report);
      else print(markdown ? reportMarkdown(report) : reportLines(report));
      return exitCodes.reached;
    } finally {
      table.client.destroy();
    }
  },
};
