import assert from "node:assert/strict";
import { checkState, type KnownState } from "../../../automation/run/state-check.ts";

/** The newest first. */
const ledger = ["r3", "r2", "r1"];

const check = (outputs: Partial<KnownState["outputs"]>, record: Partial<NonNullable<KnownState["record"]>> = {}) =>
  checkState({
    stack: "www",
    outputs: { siteId: "a", lastRun: "r2", ledgerTable: "handover-www", ...outputs },
    record: { id: "a", run: "r2", backend: "backend s3://states", ...record },
    runs: async () => ledger,
  });

describe("a stack's state", () => {
  it("is worked on where the ledger knows nothing newer", async () => {
    await check({});
    await check({ lastRun: "none" }, { run: "none" });
    await checkState({
      stack: "www",
      outputs: { ledgerTable: "t", lastRun: "r1" },
      record: undefined,
      runs: async () => [],
    });
  });

  it("is worked on when a run was killed before it wrote down that it had changed the state", () =>
    check({ lastRun: "r3" }));

  it("is worked on where the site is older than what tells states apart", async () => {
    await check({ siteId: undefined });
    await check({ lastRun: undefined });
    await check({}, { id: undefined });
  });

  for (const lastRun of ["r1", "none", "of another ledger"])
    it(`is refused where it has seen ${lastRun}, and a run has changed another copy of it since`, () =>
      assert.rejects(check({ lastRun }), {
        code: "another-state",
        exitCode: 1,
        message: /older than the site.*run r2.*backend s3:\/\/states.*Nothing was changed.*--accept-state/,
      }));

  it("is refused where the table is of another site", () =>
    assert.rejects(check({ siteId: "b" }), { code: "another-site", message: /handover-www is of site a.*of site b/ }));
});
