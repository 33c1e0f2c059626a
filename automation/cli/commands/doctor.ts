import { exitCodes } from "../../errors.ts";
import { type Command, print, printJson, stackOption } from "./command.ts";

const marks = { ok: "ok", problem: "MEND", skipped: "skipped" } as const;

export const doctorCommand: Command<{ stack: string }> = {
  command: "doctor",
  describe: "whether everything that a run needs is there, and how to mend what is not; changes nothing",
  examples: [
    ["doctor --stack production", "a line each for tools, backend, credentials, permissions, quotas, clock, ledger"],
    ["doctor --stack production --json", "the same for a program; exit code 1 when something is to be mended"],
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
