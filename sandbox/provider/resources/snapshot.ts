import { CreateSnapshotCommand, DeleteSnapshotCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { map, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

const notFound = ["InvalidSnapshot.NotFound"];

export const snapshot = resource<aws.ebs.Snapshot, aws.ebs.SnapshotArgs>({
  token: "aws:ebs/snapshot:Snapshot",
  fields: {
    description: string({ replace: true }),
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

  async create(inputs, { cloud, created, signal, timeoutSeconds = 600 }) {
    const command = new CreateSnapshotCommand({
      VolumeId: inputs.volumeId,
      Description: inputs.description,
      TagSpecifications: tagSpecifications("snapshot", inputs.tags),
    });
    // AWS takes one snapshot of a volume every 15 s.
    const rate = ["SnapshotCreationPerVolumeRateExceeded"];
    const call = () => cloud.ec2.send(command);
    const { SnapshotId: id = "" } = await insist(rate, call, { timeoutSeconds: 60, signal });
    created(id);
    const isCompleted = async () => {
      const { State, StateMessage } = (await find(cloud, id)) ?? {};
      if (State === "error") throw new Error(`${id} failed: ${StateMessage}`);
      return State === "completed" ? true : undefined;
    };
    await waitFor(isCompleted, { what: `${id} to be completed`, timeoutSeconds, signal });
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

  async update({ cloud, id, olds, news }) {
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

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }));
  return (await unless(notFound, call))?.Snapshots?.[0];
}
