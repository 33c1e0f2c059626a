import assert from "node:assert/strict";
import type { Snapshot } from "../../../automation/cloud/snapshots.ts";
import { snapshotCompleted } from "../../../automation/gates/snapshot.ts";

const good: Snapshot = {
  kind: "ebs",
  id: "snap-1",
  state: "completed",
  sizeGigabytes: 8,
  startedAt: new Date(),
  tags: { "handover:site": "handover-production", "handover:run": "r1" },
};

async function verdictOn(found: Partial<Snapshot> | undefined, volumeGigabytes = 8) {
  const snapshots = {
    find: async () => (found === undefined ? undefined : { ...good, ...found }),
    sizeOf: async () => volumeGigabytes,
  };
  const database = { volumeId: "vol-1" };
  const gate = snapshotCompleted(snapshots, good, { site: "handover-production", run: "r1", database });
  return (await gate.observe(new AbortController().signal)).verdict;
}

describe("the snapshot's gate", () => {
  it("passes when it is complete, as large as its volume, and of this site and run", async () => {
    assert.equal(await verdictOn({}), "pass");
    assert.equal(await verdictOn({ kind: "rds", state: "available" }), "pass");
  });

  it("waits while it is being completed", async () => {
    assert.equal(await verdictOn({ state: "pending" }), "pending");
    assert.equal(await verdictOn({ kind: "rds", state: "creating" }), "pending");
  });

  it("waits for one that AWS does not find, or that shows no tags: it may be new", async () => {
    assert.equal(await verdictOn(undefined), "pending");
    assert.equal(await verdictOn({ tags: {} }), "pending");
  });

  it("accepts one that was taken by hand, before the run", async () => {
    assert.equal(await verdictOn({ tags: { "handover:site": "handover-production" } }), "pass");
  });

  const wrong: [string, Partial<Snapshot>][] = [
    ["failed", { state: "error" }],
    ["has another size than its volume", { sizeGigabytes: 4 }],
    ["is of another site", { tags: { ...good.tags, "handover:site": "handover-staging" } }],
    ["is of another run", { tags: { ...good.tags, "handover:run": "r0" } }],
  ];
  for (const [what, found] of wrong) {
    it(`fails when it ${what}`, async () => {
      assert.equal(await verdictOn(found), "fail");
    });
  }
});
