import { z } from "zod";
import { phaseNames } from "../runbook.ts";
import { sessionsSchema, smokeCheck } from "./checks.ts";
import { command, seconds } from "./primitives.ts";
import { comparisonSchema, logSchema, metricSchema } from "./watch-schema.ts";

/** The schema of `handover:upgrade`: how to get to the goal. */

const percent = z
  .number()
  .int()
  .min(1, "must be a percentage from 1 to 100")
  .max(100, "must not pass 100, for example [10, 50]");

export const upgradeSchema = z.strictObject({
  backup: z
    .strictObject({
      freeze: z.strictObject({ command }).describe("Run before the snapshot is taken."),
      thaw: z
        .strictObject({ command })
        .describe(
          "Run when the snapshot exists, and whenever it may still be frozen: it must do no harm where nothing is.",
        ),
      timeoutSeconds: z
        .number()
        .int()
        .min(1)
        .max(3600)
        .default(60)
        .describe("How long each of the two may take. Default: 60."),
    })
    .optional()
    .describe(
      "Keeps the database quiet while its snapshot begins. Default: nothing; a snapshot is as after a power cut then.",
    ),
  migrate: z
    .strictObject({
      command,
      timeoutSeconds: z
        .number()
        .int()
        .min(1)
        .max(86_400)
        .default(3600)
        .describe("How long it may take before it is ended, and the run goes back. Default: 3600."),
      idempotent: z
        .boolean()
        .default(false)
        .describe(
          "Whether it may be run again when it was cut off: by default it is run once in a run, and a person is asked.",
        ),
      /** Undoes them when the run goes back, after the old servers have all traffic again. Default: nothing is undone. */
      rollbackCommand: command.optional(),
      reversible: z
        .boolean()
        .default(true)
        .describe(
          "Whether the old generation works after them. If not, going back needs `--accept-schema`. Default: true.",
        ),
    })
    .optional()
    .describe("Pre-upgrade migrations. Default: none."),
  beforeMove: z
    .strictObject({ command })
    .optional()
    .describe("Quiets the old servers before addresses leave them. Default: none."),
  smoke: z
    .array(smokeCheck)
    .optional()
    .describe(
      "What every new server must answer, and what must pass on it. Default: the health check's path with 200.",
    ),
  stableSeconds: seconds
    .default(10)
    .describe("How long all new servers must keep answering before they get traffic. Default: 10."),
  /** Share of the traffic that the new generation gets, step by step, in `connect`; 100 comes with `observe`. */
  shiftPercent: z
    .array(percent)
    .min(1)
    .default([10, 50])
    .refine(
      (steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)),
      "must rise from step to step and not pass 100, for example [10, 50]",
    ),
  stepSeconds: seconds.default(10).describe("How long each traffic step is watched before the next. Default: 10."),
  bakeSeconds: seconds.default(300).describe("How long all traffic is watched on the new generation. Default: 300."),
  sessions: sessionsSchema
    .optional()
    .describe("When an old server may end; each for itself. Default: only the load balancer's draining counts."),
  comparison: comparisonSchema
    .prefault({ whenTooFew: "pass" })
    .describe("The new generation against the old one, by the load balancer's metrics."),
  logs: z.array(logSchema).default([]).describe("Patterns in CloudWatch Logs. Default: none."),
  metrics: z.array(metricSchema).default([]).describe("Values in CloudWatch or Prometheus. Default: none."),
  alarms: z
    .array(z.string().min(1))
    .default([])
    .describe("CloudWatch alarms, none of which may be in ALARM. Default: none."),
  pauseBefore: z
    .array(z.enum(phaseNames, { error: `must be a phase: ${phaseNames.join(", ")}` }))
    .default([])
    .describe("Phases before which a person must approve."),
  onFailure: z
    .enum(["rollback", "pause"])
    .default("rollback")
    .describe("What happens when a gate fails. Default: rollback."),
  allowFewer: z
    .boolean()
    .default(false)
    .describe("Whether the new generation may have fewer servers than the one that it replaces. Default: false."),
  gateSeconds: z
    .number()
    .int()
    .min(1)
    .default(600)
    .describe(
      "How long new servers may take until they answer as expected, and any gate for what it waits for. Default: 600.",
    ),
});

export type UpgradeConfig = z.infer<typeof upgradeSchema>;
