import yargs from "yargs";
import { type ChaosUpgrade, chaos } from "./chaos.ts";
import { allPoints, nameOf } from "./points.ts";

const {
  seed,
  points,
  "balancer-lag": balancerLagSeconds,
  "stale-reads": staleReadSeconds,
} = await yargs(process.argv.slice(2))
  .scriptName("make chaos")
  .options({
    seed: { type: "number", default: 1, describe: "repeats the moments of the kills, and how late reads are" },
    points: { type: "string", default: ".*", describe: "pattern of the points, for example ^drain/" },
    "balancer-lag": { type: "number", describe: "see `handover sandbox up`" },
    "stale-reads": { type: "number", describe: "see `handover sandbox up`" },
  })
  .strict()
  .parseAsync();

const pattern = new RegExp(points);
const chosen = allPoints.filter((point) => pattern.test(nameOf(point)));
if (chosen.length === 0) {
  process.stderr.write(`--points: ${points} matches none; one is ${allPoints.map(nameOf)[0]}. Nothing was started.\n`);
  process.exit(1);
}
process.stdout.write(`${chosen.length} points, seed ${seed}\n`);
const upgrades = await chaos({
  name: "sandbox-chaos",
  points: chosen,
  array: 2,
  balancerLagSeconds,
  staleReadSeconds,
  seed,
  onUpgrade: ({ rows, problems, requests, failed, cutByMove, withoutWayOut }) => {
    for (const row of rows) line(row.point, row.seconds, row.problems);
    const counts = `${requests} requests, ${failed} failed, ${cutByMove} cut by a move, ${withoutWayOut} without a way out`;
    line(`  ${counts}`, undefined, problems);
  },
});
const bad = upgrades.filter(({ rows, problems }) => [problems, ...rows.map((row) => row.problems)].flat().length > 0);
const sum = (of: (upgrade: ChaosUpgrade) => number) => upgrades.reduce((total, upgrade) => total + of(upgrade), 0);
process.stdout.write(
  `${sum(({ rows }) => rows.length)} points in ${upgrades.length} upgrades, ${sum(({ requests }) => requests)} requests, ${sum(({ failed }) => failed)} failed, ${sum(({ withoutWayOut }) => withoutWayOut)} without a way out; ` +
    `${upgrades.length - bad.length} upgrades ended where they should, with nothing lost or doubled\n`,
);
process.exitCode = bad.length === 0 ? 0 : 1;

function line(what: string, seconds: number | undefined, problems: readonly string[]): void {
  const time = seconds === undefined ? "" : `${seconds.toFixed(1).padStart(6)} s`;
  process.stdout.write(`${what.padEnd(48)} ${time.padEnd(8)}  ${problems.length === 0 ? "ok" : problems.join("; ")}\n`);
}
