import { z } from "zod";
import { path } from "./primitives.ts";

/** The schema of what is watched at every traffic step and during the bake: part of `handover:upgrade`. */

/** CloudWatch's: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html */
const periodSeconds = z
  .number()
  .int()
  .refine(
    (period) => [1, 5, 10, 20, 30].includes(period) || (period > 0 && period % 60 === 0),
    "must be 60 or a multiple of it (1, 5, 10, 20 and 30 for metrics of high resolution)",
  );

export const comparisonSchema = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether the new generation is compared with the old one."),
  tolerance: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.01)
    .describe("How much larger than the old generation's the share of 5xx answers may be."),
  clientErrorTolerance: z
    .number()
    .gt(0)
    .max(1)
    .default(0.05)
    .describe(
      "How much larger than the old generation's the share of 4xx answers may be while both have traffic; 1 for any. Nothing waits for this verdict.",
    ),
  slow: z
    .strictObject({
      percentile: z.number().min(1).max(99).default(90),
      percent: z.number().min(0).default(50),
      milliseconds: z.number().min(0).default(100),
      tolerance: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.1)
        .describe("How much larger than the old generation's the share of slow requests may be."),
    })
    .prefault({})
    .describe(
      "A request is slow if it exceeds this percentile of the old generation's by both `percent` and `milliseconds`.",
    ),
  confidence: z
    .number()
    .min(0.5)
    .max(0.9999)
    .default(0.95)
    .describe(
      "Confidence that a verdict needs. A generation that is no worse is refused less often than one minus this.",
    ),
  minRequests: z
    .number()
    .int()
    .min(1)
    .default(50)
    .describe("Minimum number of requests to the new generation before it can be refused."),
  patienceSeconds: z.number().int().min(1).default(300).describe("How long a step may take to reach a verdict."),
  /** A load balancer's metrics have periods of 60 s on AWS, and of a second in a sandbox. Default: 60. */
  periodSeconds: periodSeconds.default(60),
  whenTooFew: z
    .enum(["pause", "pass"])
    .default("pause")
    .describe(
      "What happens when there are too few requests for a verdict within `patienceSeconds`. `pass` says so and goes on without waiting for them. Without `comparison` in the file it is `pass`.",
    ),
});

export const probeSchema = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether the driver asks both generations itself, and compares them."),
  paths: z
    .array(path)
    .default(["/"])
    .describe(
      "Paths to ask for with GET beside those of the smoke checks. An answer below 400 is a good one, wherever it leads.",
    ),
  perSecond: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("Requests per second to each generation, and as many to its Elastic IPs."),
  tolerance: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.05)
    .describe("How much larger than the old generation's the share of failed requests may be."),
  patienceSeconds: z.number().int().min(1).default(120).describe("How long a step may take to reach a verdict."),
});

const identifier = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]*$/, "an id starts with a small letter and has letters, digits and _, for example errors");
const limits = {
  atMost: z.number().optional(),
  atLeast: z.number().optional(),
};
const oneLimit = "give either atMost or atLeast, for example atMost: 1";

export const cloudWatchSchema = z
  .strictObject({
    metrics: z
      .record(
        identifier,
        z.strictObject({
          namespace: z.string().min(1),
          metricName: z.string().min(1),
          dimensions: z.record(z.string(), z.string()).default({}),
          stat: z
            .string()
            .min(1)
            .default("Average")
            .describe("Any CloudWatch statistic: Sum, Average, p99, TM(10%:90%), …"),
        }),
      )
      .describe(
        "Metrics, by the id that the expression uses. Dimension values may contain placeholders such as $targetGroup.",
      ),
    expression: z.string().min(1).optional().describe("Metric math over the ids. Optional with a single metric."),
    /** Default: 60. */
    periodSeconds: periodSeconds.default(60),
  })
  .refine(
    ({ metrics, expression }) =>
      expression === undefined
        ? Object.keys(metrics).length === 1
        : Object.keys(metrics).some((id) => new RegExp(`\\b${id}\\b`).test(expression)),
    "needs an expression over its metrics' ids, for example 100 * errors / requests, unless it has a single metric",
  );

/** Placeholders of queries and dimension values: `$generation`, `$oldGeneration`, `$targetGroup`, `$oldTargetGroup`, `$loadBalancer`. */
export const metricSchema = z
  .strictObject({
    name: z.string().min(1),
    cloudWatch: cloudWatchSchema
      .optional()
      .describe("See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html"),
    prometheus: z
      .strictObject({
        url: z.url({ protocol: /^https?$/, error: "must be a URL, for example http://prometheus.example.com:9090" }),
        query: z.string().min(1),
      })
      .optional()
      .describe(
        "Instant query. Every element of a vector must be within the limit. See https://prometheus.io/docs/prometheus/latest/querying/api/",
      ),
    ...limits,
  })
  .refine(
    (metric) => (metric.cloudWatch === undefined) !== (metric.prometheus === undefined),
    "give either cloudWatch or prometheus",
  )
  .refine((metric) => (metric.atMost === undefined) !== (metric.atLeast === undefined), oneLimit);

export const logSchema = z.strictObject({
  /** The log group. */
  group: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[.\-_/#A-Za-z0-9]+$/, "must be the name of a log group, for example /www/error"),
  pattern: z
    .string()
    .min(1)
    .max(1024)
    .refine((pattern) => patternProblem(pattern) === undefined, {
      error: ({ input }) =>
        `is not a valid filter pattern: ${patternProblem(String(input))}; for example ERROR or { $.status = 5* }`,
    })
    .describe("See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"),
  atMost: z
    .number()
    .min(0)
    .default(0)
    .describe("How many matches per minute more than the old generation's are allowed."),
});

/** Finds what CloudWatch Logs is certain to refuse; it has the last word. */
function patternProblem(pattern: string): string | undefined {
  const trimmed = pattern.trim();
  for (const [open, close] of ["{}", "[]"].map((pair) => [pair.charAt(0), pair.charAt(1)] as const)) {
    if (trimmed.startsWith(open) && !trimmed.endsWith(close)) return `"${open}" is not closed by "${close}"`;
  }
  if ((pattern.replaceAll('\\"', "").match(/"/g)?.length ?? 0) % 2 !== 0) return "a quotation mark is not closed";
  const [, regex] = /^%(.*)$/s.exec(trimmed) ?? [];
  if (regex === undefined) return undefined;
  if (!regex.endsWith("%")) return 'the expression that begins with "%" does not end with "%"';
  try {
    new RegExp(regex.slice(0, -1));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export type ComparisonConfig = z.infer<typeof comparisonSchema>;
export type ProbeConfig = z.infer<typeof probeSchema>;
export type CloudWatchQuery = z.infer<typeof cloudWatchSchema>;
export type MetricConfig = z.infer<typeof metricSchema>;
export type LogConfig = z.infer<typeof logSchema>;
