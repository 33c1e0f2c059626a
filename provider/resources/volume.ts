import { CreateVolumeCommand, DeleteVolumeCommand, ModifyVolumeCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { boolean, map, number, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

const notFound = ["InvalidVolume.NotFound"];

export const volume = resource<aws.ebs.Volume, aws.ebs.VolumeArgs>({
  token: "aws:ebs/volume:Volume",
  fields: {
    availabilityZone: string({ required: true, replace: true }),
    encrypted: boolean({ computed: true, replace: true }),
    iops: number({ computed: true }),
    kmsKeyId: string({ computed: true, replace: true }),
    size: number({ computed: true }),
    snapshotId: string({ computed: true, replace: true }),
    tags: map(),
    throughput: number({ computed: true }),
    type: string({ computed: true }),
  },
  computed: { arn: true, createTime: true },

  async create(inputs, { cloud, created, signal, timeoutSeconds = 300 }) {
    const { VolumeId: id = "" } = await cloud.ec2.send(
      new CreateVolumeCommand({
        AvailabilityZone: inputs.availabilityZone,
        Encrypted: inputs.encrypted,
        Iops: inputs.iops,
        KmsKeyId: inputs.kmsKeyId,
        Size: inputs.size,
        SnapshotId: inputs.snapshotId,
        TagSpecifications: tagSpecifications("volume", inputs.tags),
        Throughput: inputs.throughput,
        VolumeType: inputs.type as "gp3" | undefined,
      }),
    );
    created(id);
    await waitFor(async () => ((await cloud.volumes.load(id))?.State === "available" ? true : undefined), {
      what: `${id} to be available`,
      timeoutSeconds,
      signal,
    });
    return id;
  },

  async read({ id, cloud }) {
    const found = await cloud.volumes.load(id);
    if (found === undefined || found.State === "deleted" || found.State === "deleting") return undefined;
    return {
      arn: `arn:aws:ec2:${cloud.region}:${await cloud.account()}:volume/${id}`,
      availabilityZone: found.AvailabilityZone ?? "",
      createTime: found.CreateTime?.toISOString() ?? "",
      encrypted: found.Encrypted ?? false,
      iops: found.Iops ?? 0,
      kmsKeyId: found.KmsKeyId ?? "",
      size: found.Size ?? 0,
      snapshotId: found.SnapshotId ?? "",
      tags: tagMap(found.Tags),
      throughput: found.Throughput ?? 0,
      type: found.VolumeType ?? "",
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("iops", "size", "throughput", "type")) {
      await cloud.ec2.send(
        new ModifyVolumeCommand({
          VolumeId: id,
          Iops: news.iops,
          Size: news.size,
          Throughput: news.throughput,
          VolumeType: news.type as "gp3" | undefined,
        }),
      );
    }
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 600 }) {
    const command = new DeleteVolumeCommand({ VolumeId: id });
    await insist(["VolumeInUse"], () => unless(notFound, cloud.ec2.send(command)), { timeoutSeconds, signal });
  },
});
