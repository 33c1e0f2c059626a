import { HandoverError } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import { readJournal } from "../ledger/journal.ts";
import { ledgerOf } from "../run-ledger.ts";
import { regionOf, stackFileOf } from "../session.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

export const historyCommand: Command<{ stack: string; run?: string; verify: boolean }> = {
  command: "history [run]",
  describe: "runs of a stack, or the events of one; --verify checks the chain",
  builder: (yargs) =>
    yargs.positional("run", { type: "string", describe: "a run's id, as `history` lists it" }).options({
      ...stackOption,
      verify: { type: "boolean", default: false, describe: "check that no event was altered or removed" },
    }),
  async run({ stack, run, verify, json }) {
    const table = ledgerOf(stack, regionOf(stackFileOf(stack)));
    const journal = readJournal(table);
    try {
      if (verify) {
        const verification = await journal.verify();
        if (json) printJson(verification);
        else print([verification.ok ? "the chain is whole" : `the chain is broken: ${JSON.stringify(verification)}`]);
        return verification.ok ? 0 : 4;
      }
      if (run === undefined) {
        const runs = await journal.runs();
        if (json) printJson({ runs });
        else
          print(
            runs.map(
              (each) =>
                `${each.run}  ${each.from} -> ${each.to}  ${each.outcome ?? `unfinished (${each.phase ?? "begun"})`}  ${each.started}`,
            ),
          );
        return 0;
      }
      const events = await journal.events(run);
      if (events.length === 0)
        throw new HandoverError(
          "unknown-run",
          1,
          `There is no run "${run}" on stack "${stack}". List them with: handover history --stack ${stack}`,
        );
      if (json) printJson({ run, events });
      else
        print(
          events.map(
            ({ sequence, time, event: { type, ...rest } }) => `${sequence}  ${time}  ${type}  ${JSON.stringify(rest)}`,
          ),
        );
      return 0;
    } catch (error) {
      if (!(error instanceof LedgerMissingError) || run !== undefined) throw error;
      if (json) printJson({ runs: [] });
      else print(["no runs yet"]);
      return 0;
    } finally {
      table.client.destroy();
    }
  },
};
