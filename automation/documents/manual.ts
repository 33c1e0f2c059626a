import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageDirectory } from "../../stacks/project.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import { escaped, markdownTable } from "./markdown.ts";
import { endings, errors, type Situation, typed } from "./situations.ts";

/** The manual's page with a section that is made from automation/documents/situations.ts. */
export const manualFile = join(packageDirectory, "docs", "operating.md");

const begin = "<!-- made from automation/documents/situations.ts by `npm run schemas` -->";
const end = "<!-- end -->";

/** The page's text with that section as it should be. */
export function manualText(): string {
  const text = readFileSync(manualFile, "utf8");
  const [before, rest = ""] = text.split(begin);
  const after = rest.slice(rest.indexOf(end));
  return `${before}${begin}\n\n${sectionLines().join("\n")}\n${after}`;
}

function sectionLines(): string[] {
  return Object.values(exitCodes).flatMap((exitCode) => [`### Exit code ${exitCode}`, "", ...tableOf(exitCode)]);
}

/** Cells are Markdown already: they name keys and commands. */
function tableOf(exitCode: ExitCode): string[] {
  const all: [string, Situation][] = [...Object.entries(endings), ...Object.entries(errors)];
  const rows = all
    .filter(([, situation]) => situation.exitCodes.includes(exitCode))
    .map(
      ([name, situation]) => `| \`${name}\` | ${situation.happened} | ${situation.state} | ${whatToDo(situation)} |`,
    );
  return [
    ...markdownTable(["said as", "what happened", "the state of things", "what to do"], []).slice(0, 2),
    ...rows,
    "",
  ];
}

function whatToDo({ first, next, or = [] }: Situation): string {
  const type = next && `\`${short(next)}\``;
  const ways = or.map((way) => `to ${way.to}: \`${short(way.type)}\``);
  return [first, type, ...ways].filter((part) => part !== undefined).join("; ") || escaped("nothing");
}

function short(next: NonNullable<Situation["next"]>): string {
  return typed(next, "").replace(" --stack ", "");
}
