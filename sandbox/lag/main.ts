import { join } from "node:path";
import yargs from "yargs";
import { runRows } from "../matrix/run.ts";
import { allRows, coveringRows, type LagRow, nameOf, siteOf } from "./rows.ts";
import type { LagResult } from "./site.ts";

const { rows, seeds, full, jobs, json } = await yargs(process.argv.slice(2))
  .scriptName("make lag")
  .options({
    rows: { type: "string", default: ".*", describe: "pattern of the rows, for example 'L=60 .* drain$'" },
    seeds: { type: "string", default: "1,2,3", describe: "repeats the moments at which nodes learn" },
    full: { type: "boolean", default: false, describe: "every combination, in place of every pair of values" },
    jobs: { type: "number", default: 3, describe: "number of sandboxes beside each other" },
    json: { type: "boolean", default: false, describe: "one JSON document in place of the table" },
  })
  .strict()
  .parseAsync();

const all = allRows(seeds.split(",").map(Number));
const pattern = new RegExp(rows);
const chosen = (full ? all : coveringRows(all)).filter((row) => pattern.test(nameOf(row)));
const line = (text: string) => {
  if (!json) process.stdout.write(`${text}\n`);
};
line(
  `${chosen.length} of ${all.length} rows${full ? "" : ": every value of each condition meets every value of each other one"}`,
);
line(`${"row".padEnd(44)} ${"requests".padStart(8)} failed no way out seconds  waited until weights were everywhere`);
const nothing = { requests: 0, failed: 0, withoutWayOut: 0, takenBack: false, seconds: 0, waits: {} };
const matrix = {
  program: join(import.meta.dirname, "site.ts"),
  prefix: "sandbox-lag",
  ...{ siteOf, jobs },
  died: (row: LagRow): LagResult => ({ row: nameOf(row), problems: ["its site died"], ...nothing }),
};
// The latest load balancers first: they take the longest.
const latestFirst = chosen.toSorted((a, b) => b.lagSeconds - a.lagSeconds);
const results = await runRows(
  latestFirst,
  matrix,
  ({ row, requests, failed, withoutWayOut, seconds, waits, problems }) => {
    const waited = Object.entries(waits).map(([means, each]) => `${each.toFixed(0)} s by ${means}`);
    line(
      `${row.padEnd(44)} ${String(requests).padStart(8)} ${String(failed).padStart(6)} ${String(withoutWayOut).padStart(10)} ${seconds.toFixed(0).padStart(7)}  ${waited.join(", ") || "-"}${problems.map((problem) => `\n  ${problem}`).join("")}`,
    );
  },
);
const bad = results.filter(({ problems }) => problems.length > 0);
const sum = (of: (result: (typeof results)[number]) => number) =>
  results.reduce((total, result) => total + of(result), 0);
if (json) process.stdout.write(`${JSON.stringify({ rows: results })}\n`);
line(
  `${results.length} rows, ${sum(({ requests }) => requests)} requests, ${sum(({ failed }) => failed)} failed, ${sum(({ withoutWayOut }) => withoutWayOut)} without a way out; ${results.length - bad.length} rows ended where they should`,
);
process.exitCode = bad.length === 0 ? 0 : 1;
