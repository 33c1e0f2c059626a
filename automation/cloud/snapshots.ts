import {
  DescribeVolumesCommand,
  type Snapshot as EbsSnapshot,
  EC2Client,
  paginateDescribeSnapshots,
} from "@aws-sdk/client-ec2";
import {
  type DBSnapshot,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  paginateDescribeDBSnapshots,
  RDSClient,
} from "@aws-sdk/client-rds";
import type { SiteConfig } from "../../stacks/config.ts";
import { runOf } from "../../stacks/tags.ts";
import type { Access } from "./access.ts";
import { clientSettings } from "./client-settings.ts";
import { isNotFound } from "./not-found.ts";

export type Database = NonNullable<SiteConfig["database"]>;

/** A snapshot of a site's database, EBS or RDS. */
export interface Snapshot {
  readonly kind: "ebs" | "rds";
  readonly id: string;
  /** In AWS's words: EBS `pending`, `completed`, `error`; RDS `creating`, `available`, `failed`. */
  readonly state: string;
  /** Size of what it is a snapshot of, in GiB. */
  readonly sizeGigabytes: number | undefined;
  /** The point in time that it holds. */
  readonly startedAt: Date | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export function isComplete({ kind, state }: Pick<Snapshot, "kind" | "state">): boolean {
  return state === (kind === "ebs" ? "completed" : "available");
}

/** Snapshots and what they are of, on AWS. */
export class Snapshots {
  readonly #ec2: EC2Client;
  readonly #rds: RDSClient;

  constructor(access: Access) {
    this.#ec2 = new EC2Client(clientSettings(access, "ec2"));
    this.#rds = new RDSClient(clientSettings(access, "rds"));
  }

  /** The snapshot with this id; undefined when there is none. */
  async find({ kind, id }: Pick<Snapshot, "kind" | "id">, abortSignal?: AbortSignal): Promise<Snapshot | undefined> {
    try {
      if (kind === "ebs") return (await this.#ebs({ SnapshotIds: [id] }, abortSignal))[0];
      const command = new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id });
      const { DBSnapshots = [] } = await this.#rds.send(command, { abortSignal });
      return DBSnapshots.map(ofRds)[0];
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Every snapshot that a site has taken of its database, in no order. */
  async ofSite(database: Database, site: string, abortSignal?: AbortSignal): Promise<readonly Snapshot[]> {
    if (database.dbInstanceIdentifier === undefined)
      return this.#ebs({ Filters: [{ Name: "tag:handover:site", Values: [site] }], OwnerIds: ["self"] }, abortSignal);
    const found: Snapshot[] = [];
    const input = { DBInstanceIdentifier: database.dbInstanceIdentifier, SnapshotType: "manual" };
    for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client: this.#rds }, input, { abortSignal }))
      found.push(...DBSnapshots.map(ofRds));
    return found.filter(({ tags }) => tags["handover:site"] === site);
  }

  /** Those of one run. */
  async ofRun(database: Database, site: string, run: string): Promise<readonly Snapshot[]> {
    return (await this.ofSite(database, site)).filter(({ tags }) => runOf(tags) === run);
  }

  /** Reads the size of the volume or of the instance's storage, in GiB. */
  async sizeOf(database: Database, abortSignal?: AbortSignal): Promise<number | undefined> {
    if (database.volumeId !== undefined) {
      const command = new DescribeVolumesCommand({ VolumeIds: [database.volumeId] });
      return (await this.#ec2.send(command, { abortSignal })).Volumes?.[0]?.Size;
    }
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: database.dbInstanceIdentifier });
    return (await this.#rds.send(command, { abortSignal })).DBInstances?.[0]?.AllocatedStorage;
  }

  close(): void {
    this.#ec2.destroy();
    this.#rds.destroy();
  }

  async #ebs(
    input: Parameters<typeof paginateDescribeSnapshots>[1],
    abortSignal: AbortSignal | undefined,
  ): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    for await (const { Snapshots: page = [] } of paginateDescribeSnapshots({ client: this.#ec2 }, input, {
      abortSignal,
    }))
      found.push(...page.map(ofEbs));
    return found;
  }
}

function ofEbs({ SnapshotId = "", State, VolumeSize, StartTime, Tags = [] }: EbsSnapshot): Snapshot {
  return {
    kind: "ebs",
    id: SnapshotId,
    state: State ?? "",
    sizeGigabytes: VolumeSize,
    startedAt: StartTime,
    tags: tagsOf(Tags),
  };
}

function ofRds(found: DBSnapshot): Snapshot {
  return {
    kind: "rds",
    id: found.DBSnapshotIdentifier ?? "",
    state: found.Status ?? "",
    sizeGigabytes: found.AllocatedStorage,
    startedAt: found.SnapshotCreateTime,
    tags: tagsOf(found.TagList ?? []),
  };
}

function tagsOf(list: readonly { Key?: string; Value?: string }[]): Record<string, string> {
  return Object.fromEntries(list.map(({ Key = "", Value = "" }) => [Key, Value]));
}
