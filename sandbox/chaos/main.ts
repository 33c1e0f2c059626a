import yargs from "yargs";
import { chaos } from "./chaos.ts";
import { allPoints, nameOf } from "./points.ts";

const { seed, points } = await yargs(process.argv.slice(2))
  .scriptName("make chaos")
  .options({
    seed: { type: "number", default: 1, describe: "repeats the moments of the kills" },
    points: { type: "string", default: ".*", describe: "pattern of the points, for example ^drain/" },
  })
  .strict()
  .parseAsync();

const pattern = new RegExp(points);
const chosen = allPoints.filter((point) => pattern.test(nameOf(point)));
process.stdout.write(`${chosen.length} points, seed ${seed}\n`);
const rows = await chaos({
  name: "sandbox-chaos",
  points: chosen,
  seed,
  onRow: ({ point, problems, requests, failed, cutByMove, seconds }) => {
    const verdict = problems.length === 0 ? "ok" : problems.join("; ");
    process.stdout.write(
      `${point.padEnd(32)} ${seconds.toFixed(1).padStart(6)} s  ${requests} requests, ${failed} failed, ${cutByMove} cut by a move  ${verdict}\n`,
    );
  },
});
const bad = rows.filter(({ problems }) => problems.length > 0);
process.stdout.write(
  `${rows.length - bad.length} of ${rows.length} points ended where they should, with nothing lost or doubled\n`,
);
process.exitCode = bad.length === 0 ? 0 : 1;
