import {
  AddTagsToResourceCommand,
  CreateDBSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBSnapshotAttributesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBSnapshotAttributeCommand,
  RemoveTagsFromResourceCommand,
} from "@aws-sdk/client-rds";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { map, set, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { sameTags, tagList, tagMap, tagsChange } from "../tags.ts";
import { waitFor } from "../wait.ts";

const notFound = ["DBSnapshotNotFound", "DBSnapshotNotFoundFault"];
const exists = ["DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault"];

export const databaseSnapshot = resource<aws.rds.Snapshot, aws.rds.SnapshotArgs>({
  token: "aws:rds/snapshot:Snapshot",
  fields: {
    dbInstanceIdentifier: string({ required: true, replace: true }),
    dbSnapshotIdentifier: string({ required: true, replace: true }),
    sharedAccounts: set(string()),
    tags: map(),
  },
  computed: {
    allocatedStorage: true,
    availabilityZone: true,
    dbSnapshotArn: true,
    encrypted: true,
    engine: true,
    engineVersion: true,
    iops: true,
    kmsKeyId: true,
    licenseModel: true,
    optionGroupName: true,
    port: true,
    snapshotType: true,
    sourceDbSnapshotIdentifier: true,
    sourceRegion: true,
    status: true,
    storageType: true,
    vpcId: true,
  },

  async create(inputs, { cloud, created, isHeld, signal, timeoutSeconds = 1200 }) {
    const id = inputs.dbSnapshotIdentifier;
    try {
      const command = new CreateDBSnapshotCommand({
        DBInstanceIdentifier: inputs.dbInstanceIdentifier,
        DBSnapshotIdentifier: id,
        Tags: tagList(inputs.tags),
      });
      await cloud.databases.send(command);
    } catch (error) {
      if (!exists.includes(codeOf(error) ?? "") || isHeld) throw error;
      // One of the same database with the same tags that the state does not hold was left behind by a crash.
      const left = await find(cloud, id);
      const isOwn =
        left?.DBInstanceIdentifier === inputs.dbInstanceIdentifier && sameTags(tagMap(left?.TagList), inputs.tags);
      if (!isOwn) throw error;
    }
    created(id);
    const isAvailable = async () => {
      const status = (await find(cloud, id))?.Status;
      if (status === "failed") throw new Error(`${id} failed`);
      return status === "available" ? true : undefined;
    };
    await waitFor(isAvailable, { what: `${id} to be available`, timeoutSeconds, signal });
    await share(cloud, id, [], inputs.sharedAccounts);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const sharedAccounts = await accountsOf(cloud, id);
    return {
      allocatedStorage: found.AllocatedStorage ?? 0,
      availabilityZone: found.AvailabilityZone ?? "",
      dbInstanceIdentifier: found.DBInstanceIdentifier ?? "",
      dbSnapshotArn: found.DBSnapshotArn ?? "",
      dbSnapshotIdentifier: found.DBSnapshotIdentifier ?? id,
      encrypted: found.Encrypted ?? false,
      engine: found.Engine ?? "",
      engineVersion: found.EngineVersion ?? "",
      iops: found.Iops ?? 0,
      kmsKeyId: found.KmsKeyId ?? "",
      licenseModel: found.LicenseModel ?? "",
      optionGroupName: found.OptionGroupName ?? "",
      port: found.Port ?? 0,
      ...(sharedAccounts.length > 0 && { sharedAccounts }),
      snapshotType: found.SnapshotType ?? "",
      sourceDbSnapshotIdentifier: found.SourceDBSnapshotIdentifier ?? "",
      sourceRegion: found.SourceRegion ?? "",
      status: found.Status ?? "",
      storageType: found.StorageType ?? "",
      tags: tagMap(found.TagList),
      vpcId: found.VpcId ?? "",
    };
  },

  isSettled: ({ status }) => status === "available",

  async update({ cloud, id, olds, news, state, changed }) {
    if (changed("sharedAccounts")) await share(cloud, id, olds.sharedAccounts, news.sharedAccounts);
    const { added: Tags, removed: TagKeys } = tagsChange(olds.tags, news.tags);
    const ResourceName = state.dbSnapshotArn;
    if (TagKeys.length > 0) await cloud.databases.send(new RemoveTagsFromResourceCommand({ ResourceName, TagKeys }));
    if (Tags.length > 0) await cloud.databases.send(new AddTagsToResourceCommand({ ResourceName, Tags }));
  },

  async delete({ id, cloud }) {
    await unless(notFound, cloud.databases.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id })));
  },
});

/** The accounts that may restore it, or `all`. */
async function accountsOf(cloud: Cloud, DBSnapshotIdentifier: string): Promise<string[]> {
  const command = new DescribeDBSnapshotAttributesCommand({ DBSnapshotIdentifier });
  const { DBSnapshotAttributes = [] } =
    (await unless(notFound, cloud.databases.send(command)))?.DBSnapshotAttributesResult ?? {};
  return DBSnapshotAttributes.find(({ AttributeName }) => AttributeName === "restore")?.AttributeValues ?? [];
}

async function share(
  cloud: Cloud,
  DBSnapshotIdentifier: string,
  before: readonly string[] = [],
  after: readonly string[] = [],
) {
  const ValuesToAdd = after.filter((account) => !before.includes(account));
  const ValuesToRemove = before.filter((account) => !after.includes(account));
  if (ValuesToAdd.length + ValuesToRemove.length === 0) return;
  await cloud.databases.send(
    new ModifyDBSnapshotAttributeCommand({
      DBSnapshotIdentifier,
      AttributeName: "restore",
      ValuesToAdd,
      ValuesToRemove,
    }),
  );
}

async function find(cloud: Cloud, id: string) {
  const call = cloud.databases.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }));
  return (await unless(notFound, call))?.DBSnapshots?.[0];
}
