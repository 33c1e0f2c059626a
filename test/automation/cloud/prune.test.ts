import assert from "node:assert/strict";
import { prunable } from "../../../automation/cloud/prune.ts";
import type { Snapshot } from "../../../automation/cloud/snapshots.ts";

const now = new Date("2026-11-24T12:00:00Z");

/** A snapshot that is so many days old. */
function snapshot(id: string, days: number, more: Partial<Snapshot> = {}): Snapshot {
  const startedAt = new Date(now.getTime() - days * 86_400_000);
  return { kind: "ebs", id, state: "completed", sizeGigabytes: 8, startedAt, tags: { "handover:run": id }, ...more };
}

const idsOf = (snapshots: readonly Snapshot[]) => snapshots.map(({ id }) => id);

describe("pruning snapshots", () => {
  const all = [snapshot("new", 1), snapshot("older", 40), snapshot("old", 30.1), snapshot("young", 29.9)];

  it("takes those that are older than retainDays, the oldest first", () => {
    assert.deepEqual(idsOf(prunable(all, { retainDays: 30, now })), ["older", "old"]);
  });

  it("takes none where it is not said how long they are kept", () => {
    assert.deepEqual(prunable(all, { retainDays: undefined, now }), []);
  });

  it("keeps the newest complete one however old it is, since a failed or unfinished one restores nothing", () => {
    const failed = snapshot("failed", 35, { state: "error" });
    const pending = snapshot("pending", 34, { state: "pending" });
    const found = prunable([snapshot("good", 50), snapshot("worse", 60), failed, pending], { retainDays: 0, now });
    assert.deepEqual(idsOf(found), ["worse", "failed"]);
  });

  it("keeps the one of a run that has not ended", () => {
    const found = prunable(all, { retainDays: 0, now, unfinishedRun: "older" });
    assert.deepEqual(idsOf(found), ["old", "young"]);
  });

  it("keeps one whose age is not known", () => {
    assert.deepEqual(
      prunable([snapshot("unknown", 1, { startedAt: undefined }), snapshot("new", 0)], { retainDays: 0, now }),
      [],
    );
  });
});
