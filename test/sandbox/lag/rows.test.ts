import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutated, mutations } from "../../../sandbox/lag/mutations.ts";
import { allRows, coveringRows, nameOf, waysBack } from "../../../sandbox/lag/rows.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { phaseNames } from "../../../stacks/runbook.ts";

describe("the matrix of lag", () => {
  const all = allRows([1, 2, 3]);

  it("goes back from every phase but the last, and has a name for each row", () => {
    assert.deepEqual(waysBack, phaseNames.slice(0, -1));
    assert.equal(new Set(all.map(nameOf)).size, all.length);
  });

  it("lets every value of a condition meet every value of each other one, in a tenth of the rows", () => {
    const meetings = (rows: typeof all) =>
      new Set(
        rows.flatMap((row) => {
          const values = Object.entries(row).map(String);
          return values.flatMap((value, index) => values.slice(index + 1).map((other) => `${value} ${other}`));
        }),
      );
    const chosen = coveringRows(all);
    const met = meetings(chosen);
    assert.deepEqual(
      [...meetings(all)].filter((pair) => !met.has(pair)),
      [],
    );
    assert.ok(chosen.length < all.length / 10, `${chosen.length} of ${all.length}`);
  });

  for (const mutation of mutations) {
    it(`finds the place of the mutation ${mutation.name}`, () => {
      for (const edit of mutation.edits) {
        const text = readFileSync(join(projectDirectory, edit.file), "utf8");
        assert.notEqual(mutated(text, edit), text);
      }
    });
  }

  it("refuses a mutation whose text is missing or there twice", () => {
    const edit = { file: "f", from: "a", to: "b" };
    assert.throws(() => mutated("c", edit), /0 times/);
    assert.throws(() => mutated("a a", edit), /2 times/);
    assert.equal(mutated("a c", edit), "b c");
  });
});
