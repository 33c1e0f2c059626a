import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rowNames } from "../../automation/runbook/rows.ts";
import { projectDirectory } from "../../stacks/project.ts";

/** The runbook's tables: what a row is, its intent, and what the driver knows of it. */
const tables = [
  "stacks/runbook.ts",
  "stacks/intent.ts",
  "automation/runbook/rows.ts",
  "automation/runbook/policy.ts",
  "automation/runbook/gates.ts",
];

/** The same words with another meaning: a gate's method, events of Node's sockets, and purposes of
 * commands in the ledger. */
const others = [
  /Omit<Gate, "observe">/,
  /\bonce\(\w+, "connect"\)/,
  /\bonce\("drain",/,
  /^export const purpose = z\.enum\(/,
];

describe("a row's name", () => {
  it("stands in the runbook's tables and nowhere else, so that a new row is seen by the compiler", () => {
    const listed = execFileSync("git", ["ls-files", "--", "*.ts", "*.py"], { cwd: projectDirectory, encoding: "utf8" });
    const sources = listed.split("\n").filter((file) => file !== "" && !file.startsWith("test/"));
    assert.ok(tables.every((table) => sources.includes(table)));
    const name = new RegExp(`["'](${rowNames.join("|")})["']`);
    const found = sources
      .filter((file) => !tables.includes(file))
      .flatMap((file) => {
        const lines = readFileSync(join(projectDirectory, file), "utf8").split("\n");
        return lines.map((line, index) => ({ line, at: `${file}:${index + 1}` }));
      })
      .filter(({ line }) => name.test(line) && !others.some((other) => other.test(line)));
    assert.deepEqual(
      found.map(({ at, line }) => `${at}: ${line.trim()}`),
      [],
    );
  });
});
