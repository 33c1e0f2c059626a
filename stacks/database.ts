import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SiteConfig } from "./config.ts";
import { components, siteNames } from "./names.ts";
import { keepRun, type Owner, tags } from "./tags.ts";

export interface DatabaseArgs {
  readonly owner: Owner;
  readonly database: NonNullable<SiteConfig["database"]>;
}

export interface Snapshot {
  readonly kind: "ebs" | "rds";
  readonly id: pulumi.Output<string>;
}

/** The backup of the site's database that a run takes. It outlives the run: leaving the stack does not delete it. */
export class Database extends pulumi.ComponentResource {
  readonly snapshot: Snapshot;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Database, name, {}, opts);
    this.snapshot = this.backUp(siteNames.backup(name), args);
    this.registerOutputs({ snapshotId: this.snapshot.id });
  }

  private backUp(name: string, { owner, database }: DatabaseArgs): Snapshot {
    const opts: pulumi.CustomResourceOptions = {
      parent: this,
      retainOnDelete: true,
      // A large volume takes hours.
      customTimeouts: { create: "12h" },
    };
    const description = tags(name, owner);
    if (database.dbInstanceIdentifier === undefined) {
      const { id } = new aws.ebs.Snapshot(
        name,
        { volumeId: database.volumeId ?? "", description: `Before an upgrade of ${owner.site}`, tags: description },
        { ...opts, ignoreChanges: keepRun },
      );
      return { kind: "ebs", id };
    }
    const { id } = new aws.rds.Snapshot(
      name,
      {
        dbInstanceIdentifier: database.dbInstanceIdentifier,
        // RDS wants a name of ours that no earlier snapshot has.
        dbSnapshotIdentifier: snapshotIdentifier(owner.site, owner.run ?? String(Date.now())),
        tags: description,
      },
      { ...opts, ignoreChanges: [...keepRun, "dbSnapshotIdentifier"] },
    );
    return { kind: "rds", id };
  }
}

/**
 * A stack's name has characters that RDS does not take: letters, digits and single hyphens, at most 255 of them.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
 */
export function snapshotIdentifier(site: string, run: string): string {
  const words = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
  const end = words(run);
  return `${words(site)
    .slice(0, 254 - end.length)
    .replace(/-$/, "")}-${end}`;
}
