import { storm } from "./site.ts";

const [name = "", rows = "[]", seed = "1"] = process.argv.slice(2);
await storm(name, JSON.parse(rows), { seed: Number(seed) }, (result) =>
  process.stdout.write(`${JSON.stringify(result)}\n`),
);
