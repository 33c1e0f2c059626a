import { descriptionOf } from "../runbook/rows.ts";
import { expectation, expectationOf, headline, linesOf } from "./lines.ts";
import type { Review } from "./review.ts";

/** The plan for a terminal. */
export function planTable({ stack, prediction, changes, expected }: Review): string[] {
  const { phases, warnings, to } = prediction;
  const rows = phases.flatMap(({ name, operations, effects, gates }) => [
    [name, `${descriptionOf(name)}${expectationOf(name, expected)}`],
    ...linesOf(operations).map(({ op, type, names, properties }) => [
      "",
      `${op} ${type} ${names}${properties === "" ? "" : ` (${properties})`}`,
    ]),
    ...effects.map((effect) => ["", effect]),
    ...(gates.length > 0 ? [["", `then: ${gates.join(", ")}`]] : []),
  ]);
  const width = Math.max(0, ...rows.map(([name = ""]) => name.length));
  return [
    headline(stack, prediction),
    ...changes.map(({ name, before, after }) => `  ${to} ${name}: ${before ?? "not given"} -> ${after ?? "not given"}`),
    ...(expected === undefined ? [] : [expectation(expected)]),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(rows.length > 0 ? [""] : []),
    ...rows.map(([name = "", text = ""]) => `${name.padEnd(width)}  ${text}`.trimEnd()),
  ];
}
