import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTagsOfResourceCommand,
  type TableDescription,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, map, number, object, set, string } from "../fields.ts";
import { type InputsOf, type Operation, resource } from "../resource.ts";
import { sameTags, tagList, tagMap, tagsChange } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

type Inputs = InputsOf<aws.dynamodb.TableArgs>;
const notFound = ["ResourceNotFoundException"];
const computed = { computed: true };

export const table = resource<aws.dynamodb.Table, aws.dynamodb.TableArgs>({
  token: "aws:dynamodb/table:Table",
  fields: {
    attributes: set(object({ name: string({ required: true }), type: string({ required: true }) }), computed),
    billingMode: string({ default: "PROVISIONED" }),
    deletionProtectionEnabled: boolean({ default: false }),
    hashKey: string({ required: true, replace: true }),
    name: string({ computed: true, replace: true }),
    pointInTimeRecovery: object<aws.types.input.dynamodb.TablePointInTimeRecovery>(
      { enabled: boolean({ required: true }), recoveryPeriodInDays: number(computed) },
      computed,
    ),
    rangeKey: string({ replace: true }),
    readCapacity: number(computed),
    serverSideEncryption: object<aws.types.input.dynamodb.TableServerSideEncryption>(
      { enabled: boolean({ required: true }), kmsKeyArn: string(computed) },
      computed,
    ),
    tags: map(),
    ttl: object<aws.types.input.dynamodb.TableTtl>(
      { attributeName: string(), enabled: boolean({ default: false }) },
      computed,
    ),
    writeCapacity: number(computed),
  },
  computed: { arn: true, streamArn: true, streamLabel: true },
  autoname: { property: "name", maxLength: 255 },

  async create(inputs, creation) {
    const { cloud, created, isHeld } = creation;
    const { name: id = "" } = inputs;
    try {
      const command = new CreateTableCommand({
        TableName: id,
        AttributeDefinitions: definitions(inputs),
        KeySchema: [
          { AttributeName: inputs.hashKey, KeyType: "HASH" },
          ...(inputs.rangeKey === undefined ? [] : [{ AttributeName: inputs.rangeKey, KeyType: "RANGE" as const }]),
        ],
        DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
        ...billing(inputs),
        ...(inputs.serverSideEncryption?.enabled && { SSESpecification: encryption(inputs) }),
        Tags: tagList(inputs.tags),
      });
      // AWS creates and deletes a limited number of tables at the same time.
      await insist(["LimitExceededException"], () => cloud.tables.send(command), { ...creation, timeoutSeconds: 600 });
    } catch (error) {
      // One with the same tags that the state does not hold was left behind by a crash.
      const mayBeOwn = codeOf(error) === "ResourceInUseException" && !isHeld;
      const left = mayBeOwn ? await find(cloud, id) : undefined;
      // A table that is being deleted cannot be used, whoever created it.
      if (left === undefined || left.TableStatus === "DELETING" || !sameTags(await tagsOf(cloud, left), inputs.tags))
        throw error;
    }
    created(id);
    await waitUntilActive(creation, id);
    if (inputs.pointInTimeRecovery?.enabled) await setRecovery(creation, id, inputs);
    if (inputs.ttl?.enabled) await setTimeToLive(cloud, id, inputs);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined || found.TableStatus === "DELETING") return undefined;
    const TableName = id;
    const [tags, backups, ttl] = await Promise.all([
      tagsOf(cloud, found),
      cloud.tables.send(new DescribeContinuousBackupsCommand({ TableName })),
      cloud.tables.send(new DescribeTimeToLiveCommand({ TableName })),
    ]);
    const recovery = backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
    const { AttributeName: attributeName, TimeToLiveStatus } = ttl.TimeToLiveDescription ?? {};
    const key = (type: string) => found.KeySchema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
    return {
      arn: found.TableArn ?? "",
      attributes: (found.AttributeDefinitions ?? []).map(({ AttributeName: name = "", AttributeType: type = "" }) => ({
        name,
        type,
      })),
      billingMode: found.BillingModeSummary?.BillingMode ?? "PROVISIONED",
      deletionProtectionEnabled: found.DeletionProtectionEnabled ?? false,
      globalSecondaryIndexes: [],
      globalTableWitness: { regionName: "" },
      hashKey: key("HASH") ?? "",
      name: id,
      pointInTimeRecovery: {
        enabled: recovery?.PointInTimeRecoveryStatus === "ENABLED",
        recoveryPeriodInDays: recovery?.RecoveryPeriodInDays ?? 0,
      },
      rangeKey: key("RANGE"),
      readCapacity: found.ProvisionedThroughput?.ReadCapacityUnits ?? 0,
      serverSideEncryption: {
        enabled: ["ENABLED", "ENABLING", "UPDATING"].includes(found.SSEDescription?.Status ?? ""),
        kmsKeyArn: found.SSEDescription?.KMSMasterKeyArn ?? "",
      },
      streamArn: found.LatestStreamArn ?? "",
      streamLabel: found.LatestStreamLabel ?? "",
      streamViewType: "",
      tableClass: found.TableClassSummary?.TableClass ?? "STANDARD",
      tags,
      ttl: { attributeName, enabled: TimeToLiveStatus === "ENABLED" || TimeToLiveStatus === "ENABLING" },
      warmThroughput: {
        readUnitsPerSecond: found.WarmThroughput?.ReadUnitsPerSecond ?? 0,
        writeUnitsPerSecond: found.WarmThroughput?.WriteUnitsPerSecond ?? 0,
      },
      writeCapacity: found.ProvisionedThroughput?.WriteCapacityUnits ?? 0,
    };
  },

  async update(change) {
    const { cloud, id, olds, news, state, changed } = change;
    if (changed("billingMode", "readCapacity", "writeCapacity", "deletionProtectionEnabled", "attributes")) {
      const command = new UpdateTableCommand({
        TableName: id,
        ...(changed("attributes") && { AttributeDefinitions: definitions(news) }),
        ...(changed("billingMode", "readCapacity", "writeCapacity") && billing(news)),
        DeletionProtectionEnabled: news.deletionProtectionEnabled,
      });
      await cloud.tables.send(command);
      await waitUntilActive(change, id);
    }
    if (changed("serverSideEncryption")) {
      await cloud.tables.send(new UpdateTableCommand({ TableName: id, SSESpecification: encryption(news) }));
      await waitUntilActive(change, id);
    }
    if (changed("pointInTimeRecovery")) await setRecovery(change, id, news);
    if (changed("ttl")) await setTimeToLive(cloud, id, news);
    const { added: Tags, removed: TagKeys } = tagsChange(olds.tags, news.tags);
    const ResourceArn = state.arn;
    if (TagKeys.length > 0) await cloud.tables.send(new UntagResourceCommand({ ResourceArn, TagKeys }));
    if (Tags.length > 0) await cloud.tables.send(new TagResourceCommand({ ResourceArn, Tags }));
  },

  async delete({ id, cloud, signal, timeoutSeconds = 600 }) {
    const command = new DeleteTableCommand({ TableName: id });
    const call = () => unless(notFound, cloud.tables.send(command));
    await insist(["LimitExceededException", "ResourceInUseException"], call, { timeoutSeconds, signal });
    await waitFor(async () => ((await find(cloud, id)) === undefined ? true : undefined), {
      what: `${id} to be gone`,
      timeoutSeconds,
      signal,
    });
  },
});

async function find(cloud: Cloud, TableName: string): Promise<TableDescription | undefined> {
  return (await unless(notFound, cloud.tables.send(new DescribeTableCommand({ TableName }))))?.Table;
}

async function tagsOf(cloud: Cloud, { TableArn }: TableDescription): Promise<Record<string, string> | undefined> {
  const answer = await cloud.tables.send(new ListTagsOfResourceCommand({ ResourceArn: TableArn }));
  return tagMap(answer.Tags);
}

async function waitUntilActive({ cloud, signal, timeoutSeconds = 1800 }: Operation, id: string): Promise<void> {
  const isActive = async () => ((await find(cloud, id))?.TableStatus === "ACTIVE" ? true : undefined);
  await waitFor(isActive, { what: `${id} to be active`, timeoutSeconds, signal });
}

function encryption({ serverSideEncryption }: Inputs) {
  const { enabled: Enabled = false, kmsKeyArn } = serverSideEncryption ?? {};
  if (!Enabled) return { Enabled };
  return { Enabled, SSEType: "KMS" as const, ...(kmsKeyArn && { KMSMasterKeyId: kmsKeyArn }) };
}

function definitions({ attributes }: Inputs) {
  return (attributes ?? []).map(({ name, type }) => ({ AttributeName: name, AttributeType: type as "S" }));
}

function billing({ billingMode, readCapacity = 1, writeCapacity = 1 }: Inputs) {
  if (billingMode === "PAY_PER_REQUEST") return { BillingMode: "PAY_PER_REQUEST" as const };
  const ProvisionedThroughput = { ReadCapacityUnits: readCapacity, WriteCapacityUnits: writeCapacity };
  return { BillingMode: "PROVISIONED" as const, ProvisionedThroughput };
}

async function setRecovery({ cloud, signal }: Operation, TableName: string, inputs: Inputs): Promise<void> {
  const { enabled = false, recoveryPeriodInDays } = inputs.pointInTimeRecovery ?? {};
  const command = new UpdateContinuousBackupsCommand({
    TableName,
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled: enabled,
      ...(enabled && recoveryPeriodInDays && { RecoveryPeriodInDays: recoveryPeriodInDays }),
    },
  });
  // A new table has to get its backups first.
  const call = () => cloud.tables.send(command);
  await insist(["ContinuousBackupsUnavailableException"], call, { timeoutSeconds: 1200, signal });
}

async function setTimeToLive(cloud: Cloud, TableName: string, { ttl }: Inputs): Promise<void> {
  const TimeToLiveSpecification = { AttributeName: ttl?.attributeName, Enabled: ttl?.enabled ?? false };
  await cloud.tables.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}
