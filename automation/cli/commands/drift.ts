import { exitCodes } from "../../errors.ts";
import type { DriftReport } from "../../plan/drift.ts";
import { type Command, note, print, printJson, stackOption } from "./command.ts";

export const driftCommand: Command<{ stack: string }> = {
  command: "drift",
  task: "look",
  describe:
    "show what was changed in AWS beside Handover, by resource and property; changes nothing and takes no lease",
  examples: [
    ["drift --stack production", "exit code 0: nothing; 1: something was changed"],
    ["drift --stack production --json > drift.json", "for a schedule"],
  ],
  builder: stackOption,
  async run({ stack, json }) {
    const [{ interrupts }, { driftOf }] = await Promise.all([
      import("../interrupts.ts"),
      import("../../plan/drift.ts"),
    ]);
    const signals = interrupts(note);
    try {
      const { resources, missing } = await driftOf(stack, signals.stop);
      const drifted = resources.length > 0 || missing.length > 0;
      if (json) printJson("drift", { stack, drifted, resources: resources.map(copied), missing: [...missing] });
      else print(linesOf(stack, { resources, missing }));
      // As `doctor`: nothing was changed, and something is to be mended.
      return drifted ? exitCodes.usage : exitCodes.reached;
    } finally {
      signals.dispose();
    }
  },
};

function copied({ properties, ...rest }: DriftReport["resources"][number]) {
  return { ...rest, properties: [...properties] };
}

function linesOf(stack: string, { resources, missing }: DriftReport): string[] {
  if (resources.length === 0 && missing.length === 0) return [`${stack}: everything is as the last update left it`];
  return [
    `${stack}: changed in AWS since the last update`,
    ...missing.map((each) => `  ${each}`),
    ...resources.flatMap(({ type, name, gone, properties }) => [
      `  ${type} ${name}${gone ? " is gone" : ""}`,
      ...properties.map(({ name: property, before, after }) => `    ${property}: ${text(before)} -> ${text(after)}`),
    ]),
  ];
}

function text(value: unknown): string {
  return value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}
