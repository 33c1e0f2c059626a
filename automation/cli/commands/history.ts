import { exitCodes, HandoverError, toType } from "../../errors.ts";
import { LedgerMissingError } from "../../ledger/errors.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

export const historyCommand: Command<{ stack: string; run?: string; verify: boolean }> = {
  command: "history [run]",
  task: "look",
  describe: "list a stack's runs, or the events of one; --verify checks that none was altered",
  examples: [
    ["history --stack production", "all runs, newest first"],
    ["history 20261124-093015-5f3a --stack production", "every event of one run"],
    ["history --stack production --verify", "check that no event was altered or removed"],
  ],
  builder: (yargs) =>
    yargs.positional("run", { type: "string", describe: "id of a run, as `history` lists it" }).options({
      ...stackOption,
      verify: { type: "boolean", default: false, describe: "check that no event was altered or removed" },
    }),
  async run({ stack, run, verify, json }) {
    const [{ readJournal }, { ledgerOf }, { placeOf }] = await Promise.all([
      import("../../ledger/reader.ts"),
      import("../../run/run-ledger.ts"),
      import("../../run/place.ts"),
    ]);
    const table = ledgerOf(await placeOf(stack));
    const journal = readJournal(table);
    try {
      if (verify) {
        const verification = await journal.verify();
        if (json) printJson("verification", verification);
        else print([verification.ok ? "the chain is whole" : `the chain is broken: ${JSON.stringify(verification)}`]);
        return verification.ok ? exitCodes.reached : exitCodes.needsPerson;
      }
      if (run === undefined) {
        const runs = await journal.runs();
        if (json) printJson("history", { runs });
        else
          print(
            runs.map(
              (each) =>
                `${each.run}  ${each.from} -> ${each.to}  ${each.outcome ?? `unfinished (${each.phase ?? "begun"})`}  ${each.started}`,
            ),
          );
        return exitCodes.reached;
      }
      const events = await journal.events(run);
      if (events.length === 0)
        throw new HandoverError("unknown-run", exitCodes.usage, {
          happened: `There is no run "${run}" on stack "${stack}"`,
          next: toType("history", stack),
        });
      if (json) printJson("run-history", { run, events });
      else
        print(
          events.map(
            ({ sequence, time, event: { type, ...rest } }) => `${sequence}  ${time}  ${type}  ${JSON.stringify(rest)}`,
          ),
        );
      return exitCodes.reached;
    } catch (error) {
      if (!(error instanceof LedgerMissingError) || run !== undefined) throw error;
      if (json) printJson("history", { runs: [] });
      else print(["no runs yet"]);
      return exitCodes.reached;
    } finally {
      table.client.destroy();
    }
  },
};
