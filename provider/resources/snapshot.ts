import {
  CreateSnapshotCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  ModifySnapshotTierCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { map, string } from "../fields.ts";
import { type InputsOf, resource } from "../resource.ts";
import { sameTags, tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

type Inputs = InputsOf<aws.ebs.SnapshotArgs>;
const notFound = ["InvalidSnapshot.NotFound"];

export const snapshot = resource<aws.ebs.Snapshot, aws.ebs.SnapshotArgs>({
  token: "aws:ebs/snapshot:Snapshot",
  fields: {
    description: string({ replace: true }),
    storageTier: string({ computed: true }),
    tags: map(),
    volumeId: string({ required: true, replace: true }),
  },
  computed: {
    arn: true,
    dataEncryptionKeyId: true,
    encrypted: true,
    kmsKeyId: true,
    ownerAlias: true,
    ownerId: true,
    volumeSize: true,
  },

  async create(inputs, { cloud, created, isHeld, signal, timeoutSeconds = 600 }) {
    const command = new CreateSnapshotCommand({
      VolumeId: inputs.volumeId,
      Description: inputs.description,
      TagSpecifications: tagSpecifications("snapshot", inputs.tags),
    });
    // AWS takes one snapshot of a volume every 15 s.
    const rate = ["SnapshotCreationPerVolumeRateExceeded"];
    const call = () => cloud.ec2.send(command);
    const left = isHeld ? undefined : await leftBehind(cloud, inputs);
    const id = left ?? (await insist(rate, call, { timeoutSeconds: 60, signal })).SnapshotId ?? "";
    created(id);
    const isCompleted = async () => {
      const { State, StateMessage } = (await find(cloud, id)) ?? {};
      if (State === "error") throw new Error(`${id} failed: ${StateMessage}`);
      return State === "completed" ? true : undefined;
    };
    await waitFor(isCompleted, { what: `${id} to be completed`, timeoutSeconds, signal });
    if (inputs.storageTier === "archive") await archive(cloud, id);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    return {
      arn: `arn:aws:ec2:${cloud.region}::snapshot/${id}`,
      dataEncryptionKeyId: found.DataEncryptionKeyId ?? "",
      description: found.Description,
      encrypted: found.Encrypted ?? false,
      kmsKeyId: found.KmsKeyId ?? "",
      ownerAlias: found.OwnerAlias ?? "",
      ownerId: found.OwnerId ?? "",
      storageTier: found.StorageTier ?? "standard",
      tags: tagMap(found.Tags),
      volumeId: found.VolumeId ?? "",
      volumeSize: found.VolumeSize ?? 0,
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("storageTier")) {
      if (news.storageTier !== "archive") {
        throw new Error("Restoring a snapshot from the archive is not supported by Handover's provider.");
      }
      await archive(cloud, id);
    }
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 600 }) {
    const command = new DeleteSnapshotCommand({ SnapshotId: id });
    await insist(["InvalidSnapshot.InUse"], () => unless(notFound, cloud.ec2.send(command)), {
      timeoutSeconds,
      signal,
    });
  },
});

/**
 * The snapshot that a creation which was cut off left behind: AWS takes no client token for one.
 *
 * Only one that is still pending is certain to be that. A creation waits until its snapshot is completed, so a completed
 * one with the same tags may just as well be the backup of an earlier run that was retained: runs by hand all have the
 * same tags. To take a second snapshot costs little, to upgrade on an old one may cost the data.
 */
async function leftBehind(cloud: Cloud, { description, tags, volumeId }: Inputs): Promise<string | undefined> {
  const Filters = [
    { Name: "volume-id", Values: [volumeId] },
    { Name: "status", Values: ["pending"] },
  ];
  const { Snapshots = [] } = await cloud.ec2.send(new DescribeSnapshotsCommand({ Filters, OwnerIds: ["self"] }));
  const own = Snapshots.filter(
    (found) => (found.Description ?? "") === (description ?? "") && sameTags(tagMap(found.Tags), tags),
  );
  const newest = own.sort((a, b) => Number(b.StartTime) - Number(a.StartTime))[0];
  return newest?.SnapshotId;
}

async function archive(cloud: Cloud, SnapshotId: string): Promise<void> {
  await cloud.ec2.send(new ModifySnapshotTierCommand({ SnapshotId, StorageTier: "archive" }));
}

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }));
  return (await unless(notFound, call))?.Snapshots?.[0];
}
