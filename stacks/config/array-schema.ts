import { z } from "zod";
import { isRecurrence, isTimeZone } from "./recurrence.ts";

/** The schema of a generation's `array`, in the words of AWS Auto Scaling. */

const size = z.number().int().min(0).max(10_000);
const name = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/, "a name has 1 to 32 of a-z, 0-9 and -, and starts with a letter");

/**
 * Keeps a metric at a value: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
 * `ALBRequestCountPerTarget` counts the requests per server and minute that the load balancer gives to the generation.
 */
const targetTracking = z.strictObject({
  predefinedMetricType: z.enum([
    "ALBRequestCountPerTarget",
    "ASGAverageCPUUtilization",
    "ASGAverageNetworkIn",
    "ASGAverageNetworkOut",
  ]),
  targetValue: z.number().positive(),
  disableScaleIn: z.boolean().default(false).describe("Whether the policy only adds servers and never removes any."),
});

/**
 * Steps by how far an alarm's metric is past its threshold:
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
 */
const stepScaling = z.strictObject({
  adjustmentType: z.enum(["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]).default("ChangeInCapacity"),
  stepAdjustments: z
    .array(
      z.strictObject({
        metricIntervalLowerBound: z.number().optional(),
        metricIntervalUpperBound: z.number().optional(),
        scalingAdjustment: z.number().int(),
      }),
    )
    .min(1)
    .refine(isUnbroken, "must be intervals without gaps or overlaps, the lowest and the highest of them open")
    .describe("Bounds are distances from the alarm's threshold; an interval without one is open on that side."),
});

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StepAdjustment.html */
function isUnbroken(
  steps: readonly { metricIntervalLowerBound?: number | undefined; metricIntervalUpperBound?: number | undefined }[],
): boolean {
  const bounds = steps
    .map(
      (step) =>
        [
          step.metricIntervalLowerBound ?? Number.NEGATIVE_INFINITY,
          step.metricIntervalUpperBound ?? Number.POSITIVE_INFINITY,
        ] as const,
    )
    .toSorted(([a], [b]) => a - b);
  const [lowest = 0, highest = 0] = [bounds[0]?.[0], bounds.at(-1)?.[1]];
  return (
    bounds.every(([lower, upper], index) => lower < upper && (index === 0 || lower === bounds[index - 1]?.[1])) &&
    (lowest >= 0 || lowest === Number.NEGATIVE_INFINITY) &&
    (highest <= 0 || highest === Number.POSITIVE_INFINITY)
  );
}

const policy = z
  .strictObject({
    targetTracking: targetTracking.optional(),
    stepScaling: stepScaling.optional(),
    estimatedInstanceWarmupSeconds: z
      .number()
      .int()
      .min(0)
      .max(3600)
      .optional()
      .describe("How long until a new server's metrics count. AWS's default is the group's cooldown of 300."),
  })
  .refine(
    ({ targetTracking: tracking, stepScaling: steps }) => (tracking === undefined) !== (steps === undefined),
    "give either targetTracking or stepScaling, for example { targetTracking: { predefinedMetricType: ASGAverageCPUUtilization, targetValue: 60 } }",
  );

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html */
const schedule = z
  .strictObject({
    recurrence: z
      .string()
      .regex(/^\S+( \S+){4}$/, 'must have five fields, for example "0 22 * * *"')
      .refine(isRecurrence, 'must be minute, hour, day of month, month and day of week, for example "0 22 * * 1-5"')
      .describe("Cron expression with five fields, in `timeZone`."),
    timeZone: z
      .string()
      .refine(isTimeZone, "must be a time zone, for example Europe/Berlin")
      .optional()
      .describe("Default: UTC."),
    minSize: size.optional(),
    maxSize: size.optional(),
    desiredCapacity: size.optional(),
  })
  .refine(
    ({ minSize, maxSize, desiredCapacity }) => [minSize, maxSize, desiredCapacity].some((each) => each !== undefined),
    "must set minSize, maxSize or desiredCapacity",
  )
  .refine(
    ({ minSize = 0, maxSize = Number.POSITIVE_INFINITY, desiredCapacity = minSize }) =>
      minSize <= maxSize && minSize <= desiredCapacity && desiredCapacity <= maxSize,
    "minSize must not be above maxSize, and desiredCapacity must be from the one to the other",
  );

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html */
const lifecycleHook = z.strictObject({
  lifecycleTransition: z.enum(["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"]),
  defaultResult: z.enum(["CONTINUE", "ABANDON"]).default("ABANDON"),
  heartbeatTimeoutSeconds: z.number().int().min(30).max(7200).default(3600),
  notificationTargetArn: z.string().regex(/^arn:/, "must be the ARN of an SNS topic or an SQS queue").optional(),
  roleArn: z.string().regex(/^arn:/, "must be the ARN of a role").optional(),
  notificationMetadata: z.string().min(1).max(4000).optional(),
});
const hookName = z.string().regex(/^[A-Za-z0-9_/-]{1,255}$/, "a hook's name has 1 to 255 letters, digits, -, _ and /");

export const arraySchema = z
  .strictObject({
    /** Sizes between which autoscaling works. How many servers there are is its own decision, and survives every update. */
    minSize: size,
    maxSize: size,
    healthCheckGracePeriodSeconds: z
      .number()
      .int()
      .min(0)
      .max(7200)
      .default(300)
      .describe("How long the group ignores a new server's health checks, in seconds."),
    policies: z.record(name, policy).default({}).describe("Scaling policies, by name."),
    lifecycleHooks: z
      .record(hookName, lifecycleHook)
      .default({})
      .describe("Lifecycle hooks, by name. The array has them before its first server; those of a live array stay."),
    schedules: z
      .record(name, schedule)
      .default({})
      .describe("Scheduled actions, by name. If there are any, they set the sizes once the array has been created."),
  })
  .refine((array) => array.minSize <= array.maxSize, "minSize must not be above maxSize");

export type ArrayConfig = z.infer<typeof arraySchema>;
export type PolicyConfig = z.infer<typeof policy>;
export type ScheduleConfig = z.infer<typeof schedule>;
