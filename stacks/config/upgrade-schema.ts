import { z } from "zod";
import { phaseNames } from "../runbook.ts";
import { sessionsSchema, smokeCheck } from "./checks.ts";
import { identifySchema } from "./identify.ts";
import { command, seconds } from "./primitives.ts";
import { comparisonSchema, logSchema, metricSchema, probeSchema } from "./watch-schema.ts";

/** The schema of `handover:upgrade`: how to get to the goal. */

const percent = z
  .number()
  .int()
  .min(1, "must be a percentage from 1 to 100")
  .max(100, "must not pass 100, for example [10, 50]");

export const upgradeSchema = z.strictObject({
  backup: z
    .strictObject({
      freeze: z.strictObject({ command }).describe("Runs before the snapshot is taken."),
      thaw: z
        .strictObject({ command })
        .describe(
          "Runs as soon as the snapshot exists, and whenever the database may still be frozen. Must be harmless if it is not.",
        ),
      timeoutSeconds: z
        .number()
        .int()
        .min(1)
        .max(3600)
        .default(60)
        .describe("How long each of the two commands may take."),
    })
    .optional()
    .describe("Freezes the database while its snapshot starts; without it the snapshot is crash-consistent."),
  migrate: z
    .strictObject({
      command,
      timeoutSeconds: z
        .number()
        .int()
        .min(1)
        .max(86_400)
        .default(3600)
        .describe("How long the command may take before it is ended."),
      idempotent: z
        .boolean()
        .default(false)
        .describe("Whether it may run again after it was cut off. If not, a person is asked."),
      /** Undoes them when the run goes back, after the old servers have all traffic again. Default: nothing is undone. */
      rollbackCommand: command.optional(),
      reversible: z
        .boolean()
        .default(true)
        .describe("Whether the old generation works after the migrations. If not, going back needs `--accept-schema`."),
    })
    .optional()
    .describe("Migrations to run before the upgrade."),
  beforeMove: z
    .strictObject({ command })
    .optional()
    .describe("Command that quiets the old servers before addresses leave them."),
  smoke: z
    .array(smokeCheck)
    .optional()
    .describe("Checks that every new server must pass. Default: the health check's path answers 200."),
  identify: identifySchema
    .optional()
    .describe("How an answer says which generation gave it. Default: its name in the header x-generation, if there."),
  stableSeconds: seconds.default(10).describe("How long all new servers must keep answering before they get traffic."),
  /** Share of the traffic that the new generation gets, step by step, in `connect`; 100 comes with `observe`. */
  shiftPercent: z
    .array(percent)
    .min(1)
    .default([10, 50])
    .refine(
      (steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)),
      "must rise from step to step and not pass 100, for example [10, 50]",
    ),
  whenOldIsDown: z
    .enum(["shift", "pause"])
    .default("shift")
    .describe(
      "What happens when nothing of the old generation answers before the run: the new one gets all traffic in one step as soon as it is proven (`shift`), or once a person has approved that (`pause`).",
    ),
  stepSeconds: seconds.default(10).describe("How long each traffic step is watched before the next one."),
  bakeSeconds: seconds.default(300).describe("How long the new generation is watched with all traffic on it."),
  propagationSeconds: seconds
    .default(60)
    .describe(
      "How long a change of weights takes to reach every node of the load balancer. Evidence is waited for five times as long, and metrics of the load balancer as long as they take; where there can be none, twice this time is waited for blindly. A run that goes back waits until the last update on the way there is that old.",
    ),
  addresses: z
    .strictObject({
      move: z
        .enum(["quiet", "direct"])
        .optional()
        .describe(
          "How an address leaves its server: `quiet` holds new connections back on the server while what is in flight is answered, by Systems Manager; `direct` cuts what is in flight. Default: quiet where Systems Manager reaches every server that an address leaves.",
        ),
      quietSeconds: z
        .number()
        .int()
        .min(1)
        .max(300)
        .default(30)
        .describe("How long a quiet move waits at most for what is in flight."),
      intervalMilliseconds: z
        .number()
        .int()
        .min(5)
        .max(10_000)
        .default(20)
        .describe("Time between two of the driver's questions to an Elastic IP while it moves."),
      maxGapMilliseconds: z
        .number()
        .int()
        .min(1)
        .optional()
        .describe("Longest time without an answer in a move that is no failure. Default: it is told, and is none."),
      batch: z
        .number()
        .int()
        .min(1)
        .default(20)
        .describe("The most Elastic IPs that move in one update. The first moves alone, and each batch is proven."),
    })
    .prefault({})
    .describe("How Elastic IPs move."),
  sessions: sessionsSchema
    .optional()
    .describe("When each old server may be terminated. Default: when the load balancer has drained it."),
  comparison: comparisonSchema
    .prefault({ whenTooFew: "pass" })
    .describe("Comparison of the new generation with the old one, by the load balancer's metrics."),
  probe: probeSchema
    .prefault({})
    .describe("Comparison by the driver's own requests, which reach the Elastic IPs too and need no users."),
  logs: z.array(logSchema).default([]).describe("Patterns to watch for in CloudWatch Logs."),
  metrics: z.array(metricSchema).default([]).describe("Values to watch in CloudWatch or Prometheus."),
  alarms: z.array(z.string().min(1)).default([]).describe("Names of CloudWatch alarms, none of which may be in ALARM."),
  pauseBefore: z
    .array(z.enum(phaseNames, { error: `must be a phase: ${phaseNames.join(", ")}` }))
    .default([])
    .describe("Phases before which a person must approve."),
  onFailure: z.enum(["rollback", "pause"]).default("rollback").describe("What happens when a gate fails."),
  allowFewer: z
    .boolean()
    .default(false)
    .describe("Whether the new generation may have fewer servers than the one it replaces."),
  arrayMayLose: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "What the live array has by hand and the new one need not have, by the names that the run pauses with before it suspends the live one.",
    ),
  gateSeconds: z
    .number()
    .int()
    .min(1)
    .default(600)
    .describe("How long new servers may take to answer as expected, and how long other gates wait."),
});

export type UpgradeConfig = z.infer<typeof upgradeSchema>;
