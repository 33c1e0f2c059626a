import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import yargs from "yargs";
import { packageDirectory } from "../../stacks/project.ts";
import { type Mutation, mutated, mutations } from "./mutations.ts";
import { nameOf } from "./rows.ts";
import type { LagResult } from "./site.ts";

const { only, seeds } = await yargs(process.argv.slice(2))
  .scriptName("make lag-mutations")
  .options({
    only: { type: "string", default: ".*", describe: "pattern of the mutations" },
    seeds: { type: "number", default: 20, describe: "the most seeds that are tried for each" },
  })
  .strict()
  .parseAsync();

let survived = 0;
for (const mutation of mutations.filter(({ name }) => new RegExp(only).test(name))) {
  const seed = await seedThatFinds(mutation);
  if (seed === undefined) survived++;
  const found = seed === undefined ? `not found with ${seeds} seeds` : `found with seed ${seed}`;
  process.stdout.write(`${mutation.name.padEnd(44)} ${found}\n`);
}
process.exitCode = survived === 0 ? 0 : 1;

/** Tries a mutation of the whole project in a folder of its own, until a row of it ends badly. */
async function seedThatFinds(mutation: Mutation): Promise<number | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "handover-mutation-"));
  try {
    const left = new Set([".git", "node_modules", "dist", ".sandbox", ".handover"]);
    cpSync(packageDirectory, folder, { recursive: true, filter: (path) => !left.has(basename(path)) });
    symlinkSync(join(packageDirectory, "node_modules"), join(folder, "node_modules"));
    for (const edit of mutation.edits) {
      const file = join(folder, edit.file);
      writeFileSync(file, mutated(readFileSync(file, "utf8"), edit));
    }
    for (let seed = 1; seed <= seeds; seed++) {
      const row = nameOf({ ...mutation.row, seed }).replaceAll(/[^\w= -]/g, ".");
      const args = ["sandbox/lag/main.ts", "--json", "--full", "--seeds", String(seed), "--rows", `^${row}$`];
      const { stdout } = await execa(process.execPath, args, { cwd: folder, reject: false });
      for (const result of (JSON.parse(stdout) as { rows: readonly LagResult[] }).rows) {
        const { failed, takenBack, problems } = result;
        process.stdout.write(
          `  seed ${seed}: ${failed} failed${takenBack ? ", taken back" : ""}: ${problems.join("; ") || "ok"}\n`,
        );
        if (mutation.isFoundBy(result)) return seed;
      }
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
