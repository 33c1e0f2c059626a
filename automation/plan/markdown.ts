import { escaped, markdownTable } from "../documents/markdown.ts";
import { descriptionOf } from "../runbook/rows.ts";
import type { Expected } from "./expected.ts";
import { countsOf, expectation, expectationOf, headline, linesOf } from "./lines.ts";
import type { PredictedPhase } from "./predict.ts";
import type { Review } from "./review.ts";

/** The plan for a pull request, in GitHub's Markdown. */
export function planMarkdown({ stack, prediction, changes, expected }: Review): string[] {
  const { from, to, warnings, phases } = prediction;
  return [
    `**${escaped(headline(stack, prediction))}**${expected === undefined ? "" : `, ${expectation(expected)}`}`,
    "",
    ...warnings.flatMap((warning) => ["> [!WARNING]", `> ${escaped(warning)}`, ""]),
    ...(changes.length > 0
      ? markdownTable(
          ["", from, to],
          changes.map(({ name, before, after }) => [name, before ?? "", after ?? ""]),
        )
      : []),
    ...phases.flatMap((phase) => section(phase, expected)),
  ];
}

function section({ name, operations, effects, gates }: PredictedPhase, expected: Expected | undefined): string[] {
  const lines = linesOf(operations).map(({ op, type, names, properties }) => [op, type, names, properties]);
  return [
    `<details><summary><code>${name}</code> ${escaped(descriptionOf(name))}${expectationOf(name, expected)}: ${countsOf(operations)}</summary>`,
    "",
    ...(lines.length > 0 ? markdownTable(["operation", "type", "name", "changes"], lines) : []),
    ...effects.map((effect) => `- ${escaped(effect)}`),
    ...(effects.length > 0 ? [""] : []),
    ...(gates.length > 0 ? [`Then must hold: ${escaped(gates.join(", "))}`, ""] : []),
    "</details>",
    "",
  ];
}
