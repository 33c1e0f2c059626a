import assert from "node:assert/strict";
import type { StormResult } from "../../sandbox/storms/row.ts";
import { allRows, nameOf } from "../../sandbox/storms/rows.ts";
import { storm } from "../../sandbox/storms/site.ts";

describe("a run in a storm", () => {
  // Two whole runs, one of them taken up again, in one test.
  const environment = { ...process.env };
  after(() => {
    process.env = environment;
  });

  it("ends by what its messages tell to type, with nothing lost: the proxy goes away, and a rule is deleted", async () => {
    const chosen = ["connect/during proxy gone", "launch-first/before test rule deleted"];
    const rows = chosen.flatMap((name) => allRows.filter((row) => nameOf(row) === name));
    const results: StormResult[] = [];
    await storm("sandbox-storms-part", rows, { seed: 1, array: 0 }, (result) => results.push(result));
    assert.deepEqual(
      results.map(({ row, problems }) => [row, problems]),
      chosen.map((row) => [row, []]),
    );
    assert.match(results[0]?.way.join(", ") ?? "", /^upgrade 3, .* 0$/);
  });
});
