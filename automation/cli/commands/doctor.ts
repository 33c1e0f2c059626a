import { exitCodes } from "../../errors.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

const marks = { ok: "ok", problem: "FIX", skipped: "skipped" } as const;

export const doctorCommand: Command<{ stack: string }> = {
  command: "doctor",
  task: "begin",
  describe: "check that everything a run needs is in place, and say how to fix what is not; changes nothing",
  examples: [
    [
      "doctor --stack production",
      "one line each for tools, backend, credentials, permissions, quotas, clock and ledger",
    ],
    ["doctor --stack production --json", "the same for a program; exit code 1 if something needs fixing"],
  ],
  builder: stackOption,
  async run({ stack, json }) {
    const { diagnose } = await import("../../doctor/doctor.ts");
    const checks = await diagnose(stack);
    const healthy = checks.every(({ result }) => result !== "problem");
    if (json) printJson("doctor", { stack, healthy, checks });
    else print(checks.map(({ check, result, message }) => `${marks[result].padEnd(8)} ${check}: ${message}`));
    return healthy ? exitCodes.reached : exitCodes.usage;
  },
};
