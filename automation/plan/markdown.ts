import { descriptionOf } from "../runbook/rows.ts";
import { countsOf, expectation, headline, linesOf } from "./lines.ts";
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
      ? table(
          ["", from, to],
          changes.map(({ name, before, after }) => [name, before ?? "", after ?? ""]),
        )
      : []),
    ...phases.flatMap(section),
  ];
}

function section({ name, operations, gates }: PredictedPhase): string[] {
  const lines = linesOf(operations).map(({ op, type, names, properties }) => [op, type, names, properties]);
  return [
    `<details><summary><code>${name}</code> ${escaped(descriptionOf(name))}: ${countsOf(operations)}</summary>`,
    "",
    ...(lines.length > 0 ? table(["operation", "type", "name", "changes"], lines) : []),
    ...(gates.length > 0 ? [`Then must hold: ${escaped(gates.join(", "))}`, ""] : []),
    "</details>",
    "",
  ];
}

function table(head: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string[] {
  const row = (cells: readonly (string | undefined)[]) => `| ${cells.map((cell) => escaped(cell ?? "")).join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row), ""];
}

/** Text that stays text: values come from configuration, and must not become markup or end a cell. */
function escaped(text: string): string {
  return text
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|@]/g, "\\$&")
    .replace(/\s+/g, " ");
}
