import { z } from "zod";
import { generationNamePattern } from "../names.ts";
import { arraySchema } from "./array-schema.ts";
import { elasticIpsSchema } from "./elastic-ips-schema.ts";
import { entriesSchema, loadBalancerSchema, port } from "./entry-schema.ts";
import { networkSchema } from "./network-schema.ts";
import { inputValue, parameterPath } from "./primitives.ts";
import { rootVolumeSchema } from "./root-volume-schema.ts";
import { serverFields, siteTags } from "./server-schema.ts";
import { upgradeSchema } from "./upgrade-schema.ts";

/** The schema of the `handover:*` keys of `Pulumi.<stack>.yaml`; unknown keys are errors. What must fit together is in together.ts, and files in files.ts. */

const hostname = z
  .string()
  .max(128)
  .regex(
    /^[a-z0-9*]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    "must be a host name in lower case, for example www.example.com",
  )
  .refine((name) => name.split(".").every((label) => label.length <= 63), "has a part of more than 63 characters");
const generationName = z
  .string()
  .regex(
    new RegExp(`^${generationNamePattern}$`),
    "a generation's name has 1 to 16 of a-z, 0-9 and -, and starts with a letter, for example green",
  );
const siteSchema = z.strictObject({
  /** Public host name: what users ask for. */
  hostname,
  testHostname: hostname.describe("Host name that reaches the generation under test through the load balancer."),
  /** Port that the frontends listen on. */
  port,
  network: networkSchema,
  loadBalancer: loadBalancerSchema,
  entries: entriesSchema,
  elasticIps: elasticIpsSchema.describe(
    "Elastic IPs, held by the first frontends of the live generation: their number, or the allocation ids of existing ones.",
  ),
  /** Keep the last of them in `elasticIps` until `pulumi up` has taken its protection off. */
  releaseAddresses: z
    .array(z.ipv4("must be an IPv4 address, for example 198.51.100.7"))
    .default([])
    .describe("Elastic IPs that may be given up for good, once elasticIps has fewer. Default: none."),
  database: z
    .strictObject({
      retainDays: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe("How long `handover snapshots prune` keeps snapshots; the newest is always kept. Default: for ever."),
      volumeId: z
        .string()
        .regex(/^vol-[0-9a-z]+$/, "must be an EBS volume id, for example vol-0a1b2c3d")
        .optional(),
      /** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html */
      dbInstanceIdentifier: z
        .string()
        .max(63)
        .regex(
          /^[A-Za-z](-?[A-Za-z0-9])*$/,
          "must be the identifier of an RDS instance: letters, digits and single hyphens, for example www-db",
        )
        .optional(),
    })
    .refine(
      (database) => (database.volumeId === undefined) !== (database.dbInstanceIdentifier === undefined),
      "give either volumeId or dbInstanceIdentifier",
    )
    .optional()
    .describe("EBS volume or RDS instance to back up before an upgrade."),
  tags: siteTags
    .optional()
    .describe(
      "Tags of everything that the stack makes but Auto Scaling groups, whose servers have them. What was adopted keeps those that it has. Default: Handover's own alone.",
    ),
  inputsFrom: parameterPath
    .optional()
    .describe(
      "Path of Systems Manager parameters that become inputs of every generation, named by the last part of the path.",
    ),
  /**
   * The generation that was there before the stack (`handover adopt`). It, the load balancer and the Elastic IPs keep the
   * names, tags and settings that they have in AWS; keep the key when the generation is gone. Default: none.
   */
  adopted: generationName.optional(),
});

export const generationSchema = z.strictObject({
  extends: z
    .string()
    .optional()
    .describe("Another generation, which supplies everything that is not given here; inputs are merged key by key."),
  imageId: z
    .string()
    .regex(/^ami-[0-9a-z]+$/, "must be an AMI id, for example ami-0a1b2c3d4e5f60001")
    .optional(),
  instanceType: z
    .string()
    .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be an instance type, for example t3.small")
    .optional(),
  frontends: z
    .number()
    .int()
    .min(1, "must be 1 or more")
    .max(500)
    .optional()
    .describe("Number of servers besides the array's."),
  array: arraySchema.optional().describe("Auto Scaling group beside the frontends, with the same kind of servers."),
  /** Environment variables for the servers, in /etc/handover/inputs.env. */
  inputs: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z_][A-Za-z0-9_]*$/,
          "an input's name is that of an environment variable, for example APP_REVISION",
        ),
      inputValue,
    )
    .optional(),
  inputsFrom: parameterPath
    .optional()
    .describe(
      "Path of Systems Manager parameters that become inputs too. They override the site's; `inputs` override them.",
    ),
  userDataFile: z
    .string()
    .min(1)
    .optional()
    .describe("File with cloud-init user data, relative to the project's folder."),
  iamInstanceProfile: z
    .string()
    .max(128)
    .regex(/^[\w+=,.@-]+$/, "must be an instance profile's name, not its ARN, for example www-frontend")
    .optional()
    .describe("Name of the servers' instance profile."),
  keyName: z.string().min(1).max(255).optional().describe("Name of the key pair for SSH."),
  rootBlockDevice: rootVolumeSchema.optional().describe("Overrides for the image's root volume."),
  ...serverFields,
});

/** The driver's own key: which run this update belongs to. Never written to a file in git. */
export const runSchema = z.strictObject({
  id: z.string().min(1),
  from: generationName,
  to: generationName,
  left: z
    .array(z.string())
    .optional()
    .describe("Names of old servers that stay for now while others end. Default: none."),
  short: z
    .array(z.string())
    .optional()
    .describe("Names of old servers that cannot serve: an Elastic IP does not come back to them. Default: none."),
  atOnce: z
    .boolean()
    .optional()
    .describe("Whether the new generation gets all traffic in one step, since the old one is down. Default: false."),
});

export const fileSchema = z.strictObject({
  site: siteSchema,
  generations: z.record(generationName, generationSchema),
  live: z.string(),
  upgrade: upgradeSchema.prefault({}),
  phase: z.string().optional(),
  /** `pulumi config set` writes it as text. */
  step: z
    .union(
      [
        z.number().int().min(1),
        z
          .string()
          .regex(/^[1-9]\d*$/)
          .transform(Number),
      ],
      {
        error: "must be a step's number, for example 1",
      },
    )
    .optional(),
  run: runSchema.optional(),
});

export type SiteConfig = z.infer<typeof siteSchema>;
export type Input = z.infer<typeof inputValue>;

/** JSON Schema of the `handover:*` values, for editors. */
export const configJsonSchema = () => z.toJSONSchema(fileSchema, { io: "input" });
