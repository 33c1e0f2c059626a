import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pLimit from "p-limit";

export interface Matrix<Row, Result> {
  /** The program that brings a site up and lets its rows happen: it is given the site's name and the rows as JSON, and prints a line of JSON for each. */
  readonly program: string;
  /** The sites' names begin with it. */
  readonly prefix: string;
  /** Rows of one site happen one after the other. */
  readonly siteOf: (row: Row) => string;
  /** More arguments of the program. Default: none. */
  readonly args?: readonly string[];
  /** Number of sites beside each other. */
  readonly jobs: number;
  /** What a row came to whose site died. */
  readonly died: (row: Row) => Result;
}

/** Lets rows happen. Rows that are left when their site ended go on with a new one. */
export async function runRows<Row, Result>(
  rows: readonly Row[],
  matrix: Matrix<Row, Result>,
  onResult: (result: Result) => void,
): Promise<readonly Result[]> {
  const { program, args = [], prefix, siteOf, jobs, died } = matrix;
  const sites = Map.groupBy(rows, siteOf);
  const results: Result[] = [];
  const tell = (result: Result) => {
    results.push(result);
    onResult(result);
  };
  await pLimit(jobs).map([...sites.values()], async (ofSite, index) => {
    for (let done = 0; done < ofSite.length; ) {
      const left = ofSite.slice(done);
      const { told, died: siteDied } = await runSite<Result>(
        [program, `${prefix}-${index + 1}`, JSON.stringify(left), ...args],
        tell,
      );
      done += told;
      const [next] = left.slice(told);
      if (next === undefined || (!siteDied && told > 0)) continue;
      tell(died(next));
      done++;
    }
  });
  return results;
}

/** Each site has a process of its own, since a process belongs to one sandbox. @returns the number of rows that came to an end */
async function runSite<Result>(
  args: readonly string[],
  tell: (result: Result) => void,
): Promise<{ readonly told: number; readonly died: boolean }> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    tell(JSON.parse(line));
    told++;
  }
  const [exitCode] = await closed;
  return { told, died: exitCode !== 0 };
}
