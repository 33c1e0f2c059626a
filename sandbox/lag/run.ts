import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pLimit from "p-limit";
import { type LagRow, nameOf, siteOf } from "./rows.ts";
import type { LagResult } from "./site.ts";

/**
 * Lets rows happen, those of a site one after the other and sites beside each other, the latest first: they take the
 * longest. A row whose site died is a problem too.
 */
export async function runRows(
  rows: readonly LagRow[],
  jobs: number,
  onResult: (result: LagResult) => void,
): Promise<readonly LagResult[]> {
  const latestFirst = rows.toSorted((a, b) => b.lagSeconds - a.lagSeconds);
  const sites = Map.groupBy(latestFirst, siteOf);
  const results: LagResult[] = [];
  const tell = (result: LagResult) => {
    results.push(result);
    onResult(result);
  };
  await pLimit(jobs).map([...sites.values()], async (ofSite, index) => {
    const told = await runSite(`sandbox-lag-${index + 1}`, ofSite, tell);
    for (const row of ofSite.slice(told)) tell({ row: nameOf(row), problems: ["its site died"], ...nothing });
  });
  return results;
}

const nothing = { requests: 0, failed: 0, takenBack: false, seconds: 0, waits: {} };

/** Each site has a process of its own, since a process belongs to one sandbox. @returns the number of rows that came to an end */
async function runSite(name: string, rows: readonly LagRow[], tell: (result: LagResult) => void): Promise<number> {
  const args = [join(import.meta.dirname, "site.ts"), name, JSON.stringify(rows)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    tell(JSON.parse(line));
    told++;
  }
  return told;
}
