import { z } from "zod";
import { ledgerEvent, outcome, purpose } from "../ledger/events.ts";

/** Parts of the documents in documents.ts. A shape may grow within a version; any other change raises it. */
export const version = 1;

export const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
export const document = <Shape extends z.ZodRawShape>(does: string, shape: Shape) =>
  z.object({ version: z.literal(version), ...shape }).describe(does);

export const name = z.string();
export const time = z.string().describe("ISO 8601, UTC");
export const count = z.number();
export const seconds = z.number();

const holder = z.object({
  who: z.string(),
  host: z.string(),
  pid: z.number(),
  job: z.string().describe("URL of the CI job").optional(),
  command: z.string(),
  since: time,
  heartbeat: time,
  expires: time,
});

export const lease = z.discriminatedUnion("state", [
  z.object({ state: z.literal("free"), token: z.number() }),
  z.object({ state: z.enum(["held", "expired"]), token: z.number(), holder }),
]);

export const unfinishedRun = z.object({
  id: z.string(),
  from: name,
  to: name,
  finished: list(z.string()).describe("phases whose gates have passed"),
  reached: z.string().describe("the phase that was begun last, or stepped to by hand").optional(),
  lastPlanned: z
    .object({ row: z.string(), step: count.describe("1 is the first") })
    .describe("the last planned update, if its row has several")
    .optional(),
  rollingBack: z.boolean(),
  waitingFor: z
    .object({ phase: z.string(), digest: z.string().optional() })
    .describe("the phase that waits, and the digest of the plan to approve")
    .optional(),
  approved: list(z.string()).describe("digests of approved plans"),
  asked: list(z.string()).describe("phases for which approval was asked"),
  back: list(z.string()).describe("rows of the way back whose gates have passed"),
  changed: z.boolean().describe("whether an update of it was applied"),
  commands: z
    .partialRecord(purpose, z.enum(["done", "failed", "cut-off"]))
    .describe("how the site's commands ended; cut-off: it was started, and nobody saw it end"),
});

export const runSummary = z.object({
  run: z.string(),
  from: name,
  to: name,
  command: z.string(),
  started: time,
  updated: time.describe("time of the last event"),
  finished: time.optional(),
  outcome: outcome.optional(),
  phase: z.string().describe("phase of the last event that has one").optional(),
  first: z.number().describe("sequence number of the first event"),
  last: z.number().describe("sequence number of the last event"),
  hash: z.string().describe("hash of the last event"),
});

export const ledgerRecord = z.object({
  sequence: z.number(),
  run: z.string(),
  time,
  token: z.number().describe("fencing token of the lease"),
  previous: z.string().describe("hash of the previous event"),
  event: ledgerEvent,
  hash: z.string(),
});

export const snapshot = z.object({
  id: z.string(),
  kind: z.enum(["ebs", "rds"]),
  state: z.string().describe("state in AWS's words"),
  sizeGigabytes: z.number().describe("size of the volume or database").optional(),
  startedAt: time.describe("point in time that it captures").optional(),
  run: z.string().describe("run that took it; missing if it was taken by hand").optional(),
});

export const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
export const byGeneration = z.record(z.string(), count).describe("number of answers by generation");
export const trafficOfPhase = z.object({
  requests: count,
  failed: count,
  cutByMove: count,
  byGeneration,
  latencyMilliseconds: percentiles,
});
export const servedWithoutWayOut = z.object({
  server: z.string(),
  generation: z.string(),
  requests: count,
  first: time,
  last: time,
  phases: list(z.string()).describe("phases of the first and the last of them"),
});
export const failure = z.object({
  at: time,
  target: z.string(),
  outcome: z.enum(["failed", "cutByMove"]),
  error: z.string().optional(),
  status: z.number().optional(),
  generation: z.string().optional(),
  server: z.string().optional(),
  phase: z.string(),
});

export const listener = z.object({
  arn: z.string().describe("of the load balancer"),
  dnsName: z.string(),
  port: z.number(),
  protocol: z.enum(["http", "https"]),
});

export const healthByEntry = z
  .record(z.string(), z.string())
  .describe("the same in the target groups of further entries; missing without any")
  .optional();

export const array = z.object({
  name: z.string().describe("name of the Auto Scaling group"),
  minSize: count,
  maxSize: count,
  desiredCapacity: count.describe("number of servers that autoscaling aims for"),
  suspendedProcesses: list(z.string()),
  servers: list(
    z.object({
      instanceId: z.string(),
      lifecycleState: z.string().describe("state in AWS's words"),
      health: z.string().describe("target health in AWS's words"),
      entries: healthByEntry,
    }),
  ),
});

export const service = z.object({ pid: z.number(), running: z.boolean() });
