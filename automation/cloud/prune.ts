import { DeleteSnapshotCommand, EC2Client } from "@aws-sdk/client-ec2";
import { DeleteDBSnapshotCommand, RDSClient } from "@aws-sdk/client-rds";
import { runOf } from "../../stacks/tags.ts";
import type { Access } from "./access.ts";
import { clientSettings } from "./client-settings.ts";
import { isComplete, type Snapshot } from "./snapshots.ts";

export interface Retention {
  /** Days for which a snapshot is kept. Undefined: for ever. */
  readonly retainDays: number | undefined;
  readonly now: Date;
  /** A run that has not ended needs its snapshot. */
  readonly unfinishedRun?: string;
}

/**
 * The snapshots that may be deleted, oldest first: older than `retainDays`, not in the making, not of the run in hand,
 * and not the newest complete one.
 */
export function prunable(snapshots: readonly Snapshot[], { retainDays, now, unfinishedRun }: Retention): Snapshot[] {
  if (retainDays === undefined) return [];
  const oldestFirst = [...snapshots].sort((a, b) => timeOf(a) - timeOf(b));
  const newest = oldestFirst.findLast(isComplete);
  const keptSince = now.getTime() - retainDays * 86_400_000;
  return oldestFirst.filter((snapshot) => {
    const isOver = isComplete(snapshot) || ["error", "failed"].includes(snapshot.state);
    const isNeeded = snapshot === newest || (unfinishedRun !== undefined && runOf(snapshot.tags) === unfinishedRun);
    return isOver && !isNeeded && timeOf(snapshot) < keptSince;
  });
}

/** Deletes one snapshot. It is no method of `Snapshots`, because the gates have that, and they only look. */
export async function deleteSnapshot({ kind, id }: Snapshot, access: Access): Promise<void> {
  const client =
    kind === "ebs" ? new EC2Client(clientSettings(access, "ec2")) : new RDSClient(clientSettings(access, "rds"));
  try {
    if (client instanceof EC2Client) await client.send(new DeleteSnapshotCommand({ SnapshotId: id }));
    else await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
  } finally {
    client.destroy();
  }
}

/** One whose time is not known is taken for new. */
function timeOf({ startedAt }: Snapshot): number {
  return startedAt?.getTime() ?? Number.POSITIVE_INFINITY;
}
