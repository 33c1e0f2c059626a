import { code, escaped, markdownTable } from "../documents/markdown.ts";
import { notJudgedIn } from "../gates/gate.ts";
import type { RunReport } from "./run-report.ts";
import { table } from "./table.ts";

const columns = ["phase", "seconds", "operations", "gates"];

/** A report for a terminal. */
export function reportLines(report: RunReport): string[] {
  return [
    `run ${report.run}: ${report.from} -> ${report.to}, ${ending(report)}`,
    `${begun(report)}; ${report.command}`,
    ...report.inputs.map(({ name, before, after }) => `input ${name}: ${text(before)} -> ${text(after)}`),
    "",
    ...table(columns, rows(report)),
    "",
    ...report.phases.flatMap((phase) =>
      phase.gates
        .filter(({ verdict, evidence }) => verdict !== "pass" || notJudgedIn(evidence) !== undefined)
        .map(({ gate, verdict, evidence }) => {
          const notJudged = notJudgedIn(evidence);
          if (verdict === "pass") return `${phase.name}: ${gate}: not judged: ${notJudged}`;
          return `${phase.name}: ${gate}: ${verdict}: ${text(evidence)}`;
        }),
    ),
    ...report.happenings.map(({ time, what }) => `${time}  ${what}`),
  ];
}

/** A report as Markdown: for a pull request, or a CI job's summary. */
export function reportMarkdown(report: RunReport): string[] {
  return [
    `## ${report.from} → ${report.to}: ${ending(report)}`,
    "",
    `Run \`${report.run}\`, ${begun(report)} (\`${report.command}\`).`,
    "",
    ...report.inputs.map(({ name, before, after }) => `- \`${name}\`: ${code(text(before))} → ${code(text(after))}`),
    ...(report.inputs.length > 0 ? [""] : []),
    ...markdownTable(columns, rows(report), ["seconds", "operations"]),
    ...report.happenings.map(({ time, what }) => `- ${time}: ${escaped(what)}`),
    ...(report.happenings.length > 0 ? [""] : []),
    ...report.phases.flatMap(phaseDetails),
  ];
}

function phaseDetails({ name, back, operations, omitted, gates }: RunReport["phases"][number]): string[] {
  if (operations.length === 0 && gates.length === 0) return [];
  return [
    `<details><summary>${name}${back ? " (back)" : ""}</summary>`,
    "",
    ...operations.map((operation) => `- ${operation.op} \`${operation.type}\` \`${operation.name}\``),
    ...(omitted > 0 ? [`- and ${omitted} more`] : []),
    ...gates.map(({ gate, verdict, evidence, seconds }) => {
      return `- **${verdict}** ${escaped(gate)} (${seconds.toFixed(1)} s): ${code(text(evidence))}`;
    }),
    "",
    "</details>",
    "",
  ];
}

function rows({ phases }: RunReport): string[][] {
  return phases.map(({ name, back, seconds, operations, omitted, gates, finished }) => {
    const passed = gates.filter(({ verdict }) => verdict === "pass").length;
    return [
      back ? `${name} (back)` : name,
      seconds.toFixed(1),
      String(operations.length + omitted),
      `${passed} of ${gates.length} passed${finished ? "" : ", not finished"}`,
    ];
  });
}

const outcomes = {
  reached: "the goal was reached",
  "rolled-back": "rolled back",
  "given-up": "given up",
  failed: "given up, or failed",
} as const;

function ending({ outcome, seconds }: RunReport): string {
  return outcome === null ? "not ended" : `${outcomes[outcome]} after ${seconds.toFixed(0)} s`;
}

function begun({ by, started }: RunReport): string {
  return `begun ${started}${by === null ? "" : ` by ${by}`}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
