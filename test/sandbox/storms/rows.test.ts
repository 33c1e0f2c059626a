import assert from "node:assert/strict";
import { rowNames } from "../../../automation/runbook/rows.ts";
import { covering } from "../../../sandbox/matrix/covering.ts";
import { allRows, nameOf, pairsOf, stageOf, stormOf, turnsBefore } from "../../../sandbox/storms/rows.ts";
import { storms } from "../../../sandbox/storms/storms.ts";
import { isPhase, phaseNames } from "../../../stacks/runbook.ts";

describe("the matrix of storms", () => {
  const pairs = (rows: typeof allRows) => new Set(rows.flatMap(pairsOf));

  it("has every event in every phase in which it can happen, and a name for each row", () => {
    assert.equal(new Set(allRows.map(nameOf)).size, allRows.length);
    assert.deepEqual(new Set(allRows.map(({ event }) => event)), new Set(storms.map(({ name }) => name)));
    assert.deepEqual(new Set(allRows.map(({ phase }) => phase)), new Set(rowNames));
  });

  it("lets every kind of event meet every phase, and every event every stage and moment, in a tenth of the rows", () => {
    const chosen = covering(allRows, { pairsOf, siteOf: () => "" });
    assert.deepEqual(pairs(chosen), pairs(allRows));
    assert.ok(chosen.length < allRows.length / 8, `${chosen.length} of ${allRows.length}`);
    const kindsIn = (phase: string) =>
      new Set(chosen.filter((row) => row.phase === phase).map(({ event }) => stormOf(event).kind));
    for (const phase of phaseNames) assert.ok(kindsIn(phase).size >= 3, phase);
  });

  it("goes back where the row is one of the way back", () => {
    for (const phase of rowNames) {
      assert.equal(turnsBefore(phase) === undefined, isPhase(phase), phase);
      assert.equal(stageOf(phase) === "back", !isPhase(phase), phase);
    }
  });
});
