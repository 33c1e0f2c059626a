import { join } from "node:path";
import yargs from "yargs";
import { covering } from "../matrix/covering.ts";
import { runRows } from "../matrix/run.ts";
import type { StormResult } from "./row.ts";
import { allRows, nameOf, pairsOf, type StormRow } from "./rows.ts";

const { rows, events, seed, full, jobs, json } = await yargs(process.argv.slice(2))
  .scriptName("make storms")
  .options({
    rows: { type: "string", default: ".*", describe: "pattern of the rows, for example '^drain/'" },
    events: { type: "string", default: ".*", describe: "pattern of the events, for example 'address'" },
    seed: { type: "number", default: 1, describe: "repeats the moments" },
    full: { type: "boolean", default: false, describe: "every event in every phase at every moment" },
    jobs: { type: "number", default: 2, describe: "number of sandboxes beside each other" },
    json: { type: "boolean", default: false, describe: "one JSON document in place of the table" },
  })
  .strict()
  .parseAsync();

const [ofRow, ofEvent] = [new RegExp(rows), new RegExp(events)];
const selection = full ? allRows : covering(allRows, { pairsOf, siteOf: () => "" });
const chosen = selection.filter((row) => ofRow.test(nameOf(row)) && ofEvent.test(row.event));
const line = (text: string) => {
  if (!json) process.stdout.write(`${text}\n`);
};
const selected = full ? "" : ": each kind of event in each phase, each event in each stage and at each moment";
line(`${chosen.length} of ${allRows.length} rows, seed ${seed}${selected}`);
line(`${"row".padEnd(48)} ${"requests".padStart(8)} failed   cut no way out seconds  commands and their exit codes`);
const sites = new Map(chosen.map((row, index) => [row, String(index % jobs)]));
const matrix = {
  program: join(import.meta.dirname, "process.ts"),
  prefix: "sandbox-storms",
  siteOf: (row: StormRow) => sites.get(row) ?? "",
  jobs,
  args: [String(seed)],
  died: (row: StormRow): StormResult => ({
    row: nameOf(row),
    problems: ["its site died"],
    ...{ way: [], requests: 0, failed: 0, cut: 0, withoutWayOut: 0, seconds: 0 },
  }),
};
const results = await runRows(chosen, matrix, ({ row, way, problems, ...counts }) => {
  const { requests, failed, cut, withoutWayOut, seconds } = counts;
  const figures = [String(requests).padStart(8), String(failed).padStart(6), String(cut).padStart(5)];
  figures.push(String(withoutWayOut).padStart(10));
  const said = problems.map((problem) => `\n  ${problem}`).join("");
  line(`${row.padEnd(48)} ${figures.join(" ")} ${seconds.toFixed(0).padStart(7)}  ${way.join(", ")}${said}`);
});
const bad = results.filter(({ problems }) => problems.length > 0);
const sum = (of: (result: StormResult) => number) => results.reduce((total, result) => total + of(result), 0);
if (json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
line(
  `${results.length} rows, ${sum(({ requests }) => requests)} requests, ${sum(({ failed }) => failed)} failed, ${sum(({ cut }) => cut)} cut by what happened, ${sum(({ withoutWayOut }) => withoutWayOut)} without a way out; ` +
    `${results.length - bad.length} rows ended where they may, with nothing lost`,
);
process.exitCode = bad.length === 0 ? 0 : 2;
