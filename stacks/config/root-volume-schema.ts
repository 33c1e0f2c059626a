import { z } from "zod";

/**
 * The schema of a generation's `rootBlockDevice`. What a type of volume may have is Amazon EBS's:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html
 */

interface Kind {
  readonly gib: readonly [least: number, most: number];
  /** Undefined: it takes none. */
  readonly iops?: {
    readonly range: readonly [least: number, most: number];
    readonly perGib: number;
    readonly needed: boolean;
  };
  readonly hasThroughput?: boolean;
}

/** st1 and sc1 are no boot volumes. */
const kinds: Readonly<Record<string, Kind>> = {
  standard: { gib: [1, 1024] },
  gp2: { gib: [1, 16_384] },
  gp3: { gib: [1, 65_536], iops: { range: [3000, 80_000], perGib: 500, needed: false }, hasThroughput: true },
  io1: { gib: [4, 16_384], iops: { range: [100, 64_000], perGib: 50, needed: true } },
  io2: { gib: [4, 65_536], iops: { range: [100, 256_000], perGib: 1000, needed: true } },
};

/** gp3 has this many IOPS where none are given, and at most so many MiB/s for each of them. */
const gp3Iops = 3000;
const throughputPerIops = 0.25;

const fields = z.strictObject({
  volumeSize: z.number().int().min(1).max(65_536).optional().describe("GiB."),
  volumeType: z.enum(["standard", "gp2", "gp3", "io1", "io2", "sc1", "st1"]).optional(),
  iops: z.number().int().min(1).optional().describe("Of io1 and io2, which need it, and of gp3. Default of gp3: 3000."),
  throughput: z.number().int().min(125).max(2000).optional().describe("MiB/s, of gp3 alone. Default: 125."),
  kmsKeyId: z
    .string()
    .regex(
      /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
      // AWS describes a volume by that alone: an alias would be another key to the plugin, and replace the server.
      "must be a KMS key's ARN, for example arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-4e5f-6000-8000-000000000001",
    )
    .optional()
    .describe("ARN of the KMS key that encrypts it. Default: the account's key for EBS."),
});

export const rootVolumeSchema = fields.superRefine((volume, context) => {
  for (const [key, message] of rootVolumeProblems(volume)) context.addIssue({ code: "custom", path: [key], message });
});

/** What EBS refuses, each with its key. */
export function* rootVolumeProblems({
  volumeType,
  volumeSize,
  iops,
  throughput,
}: z.infer<typeof fields>): Generator<[string, string]> {
  if (volumeType === undefined) {
    if (iops !== undefined) yield ["iops", "needs a volumeType beside it, for example gp3"];
    if (throughput !== undefined) yield ["throughput", "needs volumeType: gp3 beside it"];
    return;
  }
  const kind = kinds[volumeType];
  if (kind === undefined) return yield ["volumeType", `${volumeType} is no boot volume; write for example gp3`];
  const [least, most] = kind.gib;
  if (volumeSize !== undefined && (volumeSize < least || volumeSize > most))
    yield ["volumeSize", `must be from ${least} to ${most} for ${volumeType}`];
  if (throughput !== undefined && !kind.hasThroughput)
    yield ["throughput", `is for gp3 alone, not for ${volumeType}; remove it`];
  if (throughput !== undefined && kind.hasThroughput && throughput > (iops ?? gp3Iops) * throughputPerIops)
    yield ["throughput", `${throughput} needs at least iops: ${throughput / throughputPerIops}`];
  if (iops === undefined) {
    if (kind.iops?.needed) yield ["iops", `is missing, and ${volumeType} needs it, for example iops: 3000`];
    return;
  }
  if (kind.iops === undefined) return yield ["iops", `is for gp3, io1 and io2, not for ${volumeType}; remove it`];
  const [fewest, highest] = kind.iops.range;
  if (iops < fewest || iops > highest) yield ["iops", `must be from ${fewest} to ${highest} for ${volumeType}`];
  if (volumeSize !== undefined && iops > Math.max(fewest, volumeSize * kind.iops.perGib))
    yield [
      "iops",
      `${iops} is more than ${kind.iops.perGib} for each GiB; ${volumeType} of ${volumeSize} GiB takes ${Math.max(fewest, volumeSize * kind.iops.perGib)}`,
    ];
}
