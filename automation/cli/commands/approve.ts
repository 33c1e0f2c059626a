import { exitCodes, HandoverError, toType } from "../../errors.ts";
import { currentOwner } from "../../ledger/owner.ts";
import { interrupts } from "../interrupts.ts";
import { type Command, note, print, printJson, stackOption } from "./command.ts";

export const approveCommand: Command<{ stack: string; digest: string }> = {
  command: "approve",
  task: "upgrade",
  describe: "approve the plan of a run that waits; then continue with `handover resume`",
  examples: [
    ["approve --stack production --digest 3f9a…", "approve exactly the plan that was shown; any other is refused"],
  ],
  builder: {
    ...stackOption,
    digest: {
      type: "string",
      demandOption: true,
      requiresArg: true,
      describe: "digest of the plan, as the paused run printed it",
    },
  },
  async run({ stack, digest, json }) {
    const [{ begunRun }, { RunLedger }, { placeOf }] = await Promise.all([
      import("../../run/unfinished-run.ts"),
      import("../../run/run-ledger.ts"),
      import("../../run/place.ts"),
    ]);
    const place = await placeOf(stack);
    const signals = interrupts(note);
    const ledger = await RunLedger.open(place, new Set(), { command: toType("approve", stack) }, signals.stop);
    try {
      const run = await begunRun(place);
      if (run?.waitingFor === undefined)
        throw new HandoverError("nothing-to-approve", exitCodes.usage, {
          happened: `No run on stack "${stack}" waits for approval`,
          next: toType("status", stack),
        });
      const { phase, digest: waiting } = run.waitingFor;
      if (waiting === undefined || digest !== waiting) {
        throw new HandoverError("other-plan", exitCodes.usage, {
          happened: `The run waits with plan ${waiting ?? "none"}, not ${digest}`,
          state: "Nothing was approved",
          ...(waiting === undefined
            ? { next: toType("status", stack) }
            : { first: "Look at that plan", next: toType("approve", stack, "--digest", waiting) }),
        });
      }
      const by = currentOwner().who;
      await ledger.append({ type: "approved", phase, digest, by });
      if (json) printJson("approval", { run: run.id, phase, digest, by });
      else print([`${by} approved ${phase} of run ${run.id}. Next: \`${toType("resume", stack)}\``]);
      return exitCodes.reached;
    } finally {
      await ledger.close();
      signals.dispose();
    }
  },
};
