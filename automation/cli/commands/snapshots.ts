import { parseConfig } from "../../../stacks/config.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { runOf } from "../../../stacks/tags.ts";
import type { Access } from "../../cloud/access.ts";
import type { Snapshot } from "../../cloud/snapshots.ts";
import { exitCodes, HandoverError, messageOf } from "../../errors.ts";
import { LedgerMissingError } from "../../ledger/errors.ts";
import type { Place } from "../../run/run-ledger.ts";
import { type Command, note, print, printJson, stackOption } from "./command.ts";

interface Arguments {
  readonly action: "list" | "prune";
  readonly stack: string;
  readonly "dry-run": boolean;
}

export const snapshotsCommand: Command<Arguments> = {
  command: "snapshots [action]",
  task: "look",
  describe:
    "list the backups that a stack's runs have taken; prune deletes those older than retainDays, never the newest",
  examples: [
    ["snapshots --stack production", "every snapshot of the site's database that a run has taken"],
    ["snapshots prune --stack production --dry-run", "show what would be deleted, and delete nothing"],
    ["snapshots prune --stack production", "delete what is older than handover:site.database.retainDays"],
  ],
  builder: (yargs) =>
    yargs
      .positional("action", { choices: ["list", "prune"] as const, default: "list" as const, describe: "what to do" })
      .options({
        ...stackOption,
        "dry-run": { type: "boolean", default: false, describe: "say what prune would delete, and delete nothing" },
      }),
  async run({ action, stack, "dry-run": dryRun, json }) {
    const [{ placeOf }, { stackFileOf }, { handoverValues }, { Snapshots }, { prunable }] = await Promise.all([
      import("../../run/place.ts"),
      import("../../run/open-stack.ts"),
      import("../../engine/stack-file.ts"),
      import("../../cloud/snapshots.ts"),
      import("../../cloud/prune.ts"),
    ]);
    const file = stackFileOf(stack);
    const { database } = parseConfig(handoverValues(file.config), projectDirectory).site;
    if (database === undefined) {
      throw new HandoverError(
        "no-database",
        exitCodes.usage,
        `Pulumi.${stack}.yaml declares no database (handover:site.database), so its runs take no snapshots. Nothing was changed.`,
      );
    }
    const place = await placeOf(stack);
    const aws = new Snapshots(place.access);
    try {
      const all = await aws.ofSite(database, place.site);
      if (action === "list") return list(all, json);
      if (database.retainDays === undefined)
        note("handover:site.database.retainDays is not set: all snapshots are kept, and none is deleted");
      const unfinishedRun = await runInHand(place);
      const old = prunable(all, { retainDays: database.retainDays, now: new Date(), unfinishedRun });
      return await prune(place.access, all.length, old, { dryRun, json });
    } finally {
      aws.close();
    }
  },
};

function list(snapshots: readonly Snapshot[], json: boolean): number {
  const newestFirst = [...snapshots].sort((a, b) => Number(b.startedAt) - Number(a.startedAt));
  if (json) printJson("snapshots", { snapshots: newestFirst.map(plain) });
  else print(newestFirst.length === 0 ? ["no snapshots yet"] : newestFirst.map(line));
  return exitCodes.reached;
}

async function prune(
  access: Access,
  all: number,
  old: readonly Snapshot[],
  { dryRun, json }: { readonly dryRun: boolean; readonly json: boolean },
): Promise<number> {
  const { deleteSnapshot } = await import("../../cloud/prune.ts");
  const failures: { id: string; reason: string }[] = [];
  const deleted: Snapshot[] = [];
  for (const snapshot of old) {
    try {
      if (!dryRun) await deleteSnapshot(snapshot, access);
      deleted.push(snapshot);
    } catch (error) {
      // One that AWS does not let go, since an image was made of it for example, keeps no other from being deleted.
      failures.push({ id: snapshot.id, reason: messageOf(error) });
    }
  }
  const kept = all - deleted.length;
  if (json) printJson("prune", { dryRun, deleted: deleted.map(plain), failures, kept });
  else {
    print(deleted.map((snapshot) => `${dryRun ? "would delete" : "deleted"}  ${line(snapshot)}`));
    print(failures.map(({ id, reason }) => `not deleted  ${id}  ${reason}`));
    print([`${kept} ${dryRun ? "would be kept" : "kept"}`]);
  }
  return failures.length === 0 ? exitCodes.reached : exitCodes.needsPerson;
}

async function runInHand(place: Place): Promise<string | undefined> {
  const { begunRun } = await import("../../run/unfinished-run.ts");
  try {
    return (await begunRun(place))?.id;
  } catch (error) {
    if (error instanceof LedgerMissingError) return undefined;
    throw error;
  }
}

function plain(snapshot: Snapshot) {
  const { kind, id, state, sizeGigabytes, startedAt } = snapshot;
  return { id, kind, state, sizeGigabytes, startedAt: startedAt?.toISOString(), run: runOf(snapshot.tags) };
}

function line(snapshot: Snapshot): string {
  const { id, state, sizeGigabytes, startedAt, run } = plain(snapshot);
  return `${id}  ${startedAt ?? "?"}  ${state}  ${sizeGigabytes ?? "?"} GiB  ${run === undefined ? "by hand" : `run ${run}`}`;
}
