import { z } from "zod";
import { arraySchema } from "./array-schema.ts";
import { sessionsSchema, smokeCheck } from "./checks.ts";
import { networkSchema } from "./network-schema.ts";
import { command, inputValue, parameterPath, path, seconds } from "./primitives.ts";
import { phaseNames } from "./runbook.ts";
import { comparisonSchema, logSchema, metricSchema } from "./watch-schema.ts";

/** The schema of the `handover:*` keys of `Pulumi.<stack>.yaml`; unknown keys are errors. What checks it is in config.ts. */

const percent = z
  .number()
  .int()
  .min(1, "must be a percentage from 1 to 100")
  .max(100, "must not pass 100, for example [10, 50]");
const port = z.number().int().min(1).max(65535);
const hostname = z
  .string()
  .max(128)
  .regex(
    /^[a-z0-9*]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    "must be a host name in lower case, for example www.example.com",
  );
const generationName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$/,
    "a generation's name has 1 to 16 of a-z, 0-9 and -, and starts with a letter, for example green",
  );
const healthCheckSchema = z
  .strictObject({
    path: path.default("/health"),
    intervalSeconds: z.number().int().min(5).max(300).default(5),
    timeoutSeconds: z.number().int().min(2).max(120).default(2),
    healthyThreshold: z.number().int().min(2).max(10).default(2),
    unhealthyThreshold: z.number().int().min(2).max(10).default(2),
    /** Statuses of a healthy answer, for example "200-299" or "200,302". Default: "200". */
    matcher: z
      .string()
      .regex(/^\d{3}([,-]\d{3})*$/, 'must be statuses, for example "200-299" or "200,302"')
      .default("200"),
  })
  .refine((check) => check.timeoutSeconds < check.intervalSeconds, "timeoutSeconds must be less than intervalSeconds");

const siteSchema = z.strictObject({
  /** Public host name: what users ask for. */
  hostname,
  /** Host name that reaches the generation under test through the load balancer. */
  testHostname: hostname,
  /** Port that the frontends listen on. */
  port,
  network: networkSchema,
  loadBalancer: z.strictObject({
    /** Port of the listener. */
    port,
    /** ACM certificate: the listener speaks HTTPS. Default: HTTP. */
    certificateArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:acm:/, "must be the ARN of an ACM certificate")
      .optional(),
    healthCheck: healthCheckSchema.prefault({}),
    /** How long a deregistered server may finish its requests. Default: 30. */
    deregistrationDelaySeconds: z.number().int().min(0).max(3600).default(30),
    /** How long a client stays with its server. Default: 0, off. */
    stickinessSeconds: z.number().int().min(0).max(604_800).default(0),
  }),
  /** Number of Elastic IPs; held by the first frontends of the live generation. Default: 0. */
  elasticIps: z.number().int().min(0).max(100).default(0),
  /** What is backed up before an upgrade: an EBS volume or an RDS instance. */
  database: z
    .strictObject({
      /** How long snapshots are kept from `handover snapshots prune`; the newest always is. Default: for ever. */
      retainDays: z.number().int().min(0).optional(),
      volumeId: z.string().regex(/^vol-/, "must be an EBS volume id, for example vol-0a1b2c3d").optional(),
      dbInstanceIdentifier: z.string().min(1).max(63).optional(),
    })
    .refine(
      (database) => (database.volumeId === undefined) !== (database.dbInstanceIdentifier === undefined),
      "give either volumeId or dbInstanceIdentifier",
    )
    .optional(),
  /** Systems Manager parameters that are inputs of every generation, by the last part of their name. Default: none. */
  inputsFrom: parameterPath.optional(),
  /**
   * The generation that was there before the stack (`handover adopt`). It, the load balancer and the Elastic IPs keep the
   * names, tags and settings that they have in AWS; keep the key when the generation is gone. Default: none.
   */
  adopted: generationName.optional(),
});

export const generationSchema = z.strictObject({
  /** Another generation, from which everything is taken that is not given here; inputs are merged key by key. */
  extends: z.string().optional(),
  imageId: z
    .string()
    .regex(/^ami-[0-9a-z]+$/, "must be an AMI id, for example ami-0a1b2c3d4e5f60001")
    .optional(),
  instanceType: z
    .string()
    .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be an instance type, for example t3.small")
    .optional(),
  /** Number of servers outside the array. */
  frontends: z.number().int().min(1, "must be 1 or more").max(500).optional(),
  /** An Auto Scaling group beside the frontends, with the same servers. Default: none. */
  array: arraySchema.optional(),
  /** What the servers are told: environment variables in /etc/handover/inputs.env. */
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
  /** Systems Manager parameters that are inputs too; `inputs` win, and those of the site lose. Default: none. */
  inputsFrom: parameterPath.optional(),
  /** cloud-init user data, relative to the project's folder. */
  userDataFile: z.string().min(1).optional(),
  /** Name of the instance profile whose role the servers have. Default: none. */
  iamInstanceProfile: z.string().min(1).max(128).optional(),
  /** Name of the key pair for SSH. Default: none. */
  keyName: z.string().min(1).max(255).optional(),
  /** The root volume, where it is not as the image has it. */
  rootBlockDevice: z
    .strictObject({
      /** GiB. */
      volumeSize: z.number().int().min(1).max(65_536).optional(),
      volumeType: z.enum(["standard", "gp2", "gp3", "io1", "io2", "sc1", "st1"]).optional(),
    })
    .optional(),
});

const upgradeSchema = z.strictObject({
  /** Keeps the database quiet while its snapshot begins. Default: nothing; a snapshot is as after a power cut then. */
  backup: z
    .strictObject({
      /** Run before the snapshot is taken. */
      freeze: z.strictObject({ command }),
      /** Run when the snapshot exists, and whenever it may still be frozen: it must do no harm where nothing is. */
      thaw: z.strictObject({ command }),
      /** How long each of the two may take. Default: 60. */
      timeoutSeconds: z.number().int().min(1).max(3600).default(60),
    })
    .optional(),
  /** Pre-upgrade migrations. Default: none. */
  migrate: z
    .strictObject({
      command,
      /** How long it may take before it is ended, and the run goes back. Default: 3600. */
      timeoutSeconds: z.number().int().min(1).max(86_400).default(3600),
      /** Whether it may be run again when it was cut off: by default it is run once in a run, and a person is asked. */
      idempotent: z.boolean().default(false),
      /** Undoes them when the run goes back, after the old servers have all traffic again. Default: nothing is undone. */
      rollbackCommand: command.optional(),
      /** Whether the old generation works after them. If not, going back needs `--accept-schema`. Default: true. */
      reversible: z.boolean().default(true),
    })
    .optional(),
  /** Quiets the old servers before addresses leave them. Default: none. */
  beforeMove: z.strictObject({ command }).optional(),
  /** What every new server must answer, and what must pass on it. Default: the health check's path with 200. */
  smoke: z.array(smokeCheck).optional(),
  /** How long all new servers must keep answering before they get traffic. Default: 10. */
  stableSeconds: seconds.default(10),
  /** Share of the traffic that the new generation gets, step by step, in `connect`; 100 comes with `observe`. */
  shiftPercent: z
    .array(percent)
    .min(1)
    .default([10, 50])
    .refine(
      (steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)),
      "must rise from step to step and not pass 100, for example [10, 50]",
    ),
  /** How long each traffic step is watched before the next. Default: 10. */
  stepSeconds: seconds.default(10),
  /** How long all traffic is watched on the new generation. Default: 300. */
  bakeSeconds: seconds.default(300),
  /** When an old server may end; each for itself. Default: only the load balancer's draining counts. */
  sessions: sessionsSchema.optional(),
  /** The new generation against the old one, by the load balancer's metrics. */
  comparison: comparisonSchema.prefault({ whenTooFew: "pass" }),
  /** Patterns in CloudWatch Logs. Default: none. */
  logs: z.array(logSchema).default([]),
  /** Values in CloudWatch or Prometheus. Default: none. */
  metrics: z.array(metricSchema).default([]),
  /** CloudWatch alarms, none of which may be in ALARM. Default: none. */
  alarms: z.array(z.string().min(1)).default([]),
  /** Phases before which a person must approve. */
  pauseBefore: z.array(z.enum(phaseNames, { error: `must be a phase: ${phaseNames.join(", ")}` })).default([]),
  /** What happens when a gate fails. Default: rollback. */
  onFailure: z.enum(["rollback", "pause"]).default("rollback"),
  /** Whether the new generation may have fewer servers than the one that it replaces. Default: false. */
  allowFewer: z.boolean().default(false),
  /** How long new servers may take until they answer as expected, and any gate for what it waits for. Default: 600. */
  gateSeconds: z.number().int().min(1).default(600),
});

/** The driver's own key: which run this update belongs to. Never written to a file in git. */
export const runSchema = z.strictObject({
  id: z.string().min(1),
  from: generationName,
  to: generationName,
  /** Old servers, by name, that `retire` leaves for now. Default: none. */
  left: z.array(z.string()).optional(),
});

export const fileSchema = z.strictObject({
  site: siteSchema,
  generations: z.record(generationName, generationSchema),
  live: z.string(),
  upgrade: upgradeSchema.prefault({}),
  phase: z.string().optional(),
  step: z.number().int().min(1).optional(),
  run: runSchema.optional(),
});

export type SiteConfig = z.infer<typeof siteSchema>;
export type UpgradeConfig = z.infer<typeof upgradeSchema>;
export type Input = z.infer<typeof inputValue>;

/** JSON Schema of the `handover:*` values, for editors. */
export const configJsonSchema = () => z.toJSONSchema(fileSchema, { io: "input" });
