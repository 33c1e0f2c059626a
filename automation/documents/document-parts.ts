import { z } from "zod";
import { ledgerEvent, outcome, purpose } from "../ledger/events.ts";

/** What the documents of documents.ts are made of. A shape may grow within a version; whatever else changes raises it. */
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
  reached: z.string().describe("the furthest phase that was begun").optional(),
  lastPlanned: z
    .object({ row: z.string(), step: count.describe("1 being the first") })
    .describe("the update that was planned last, where its row has several")
    .optional(),
  rollingBack: z.boolean(),
  waitingFor: z
    .object({ phase: z.string(), digest: z.string().optional() })
    .describe("the phase that waits, and the plan that waits for approval")
    .optional(),
  approved: list(z.string()).describe("digests of plans that a person approved"),
  asked: list(z.string()).describe("phases for whose plan a person was asked"),
  back: list(z.string()).describe("rows of the way back whose gates have passed"),
  commands: z
    .partialRecord(purpose, z.enum(["done", "failed", "cut-off"]))
    .describe("how the site's commands ended; cut-off: it was begun, and nobody saw how it ended"),
});

export const runSummary = z.object({
  run: z.string(),
  from: name,
  to: name,
  command: z.string(),
  started: time,
  updated: time.describe("of the last event"),
  finished: time.optional(),
  outcome: outcome.optional(),
  phase: z.string().describe("phase of the last event that has one").optional(),
  first: z.number().describe("sequence number of the first event"),
  last: z.number().describe("sequence number of the last event"),
  hash: z.string().describe("of the last event"),
});

export const ledgerRecord = z.object({
  sequence: z.number(),
  run: z.string(),
  time,
  token: z.number().describe("fencing token of the lease"),
  previous: z.string().describe("hash of the event before"),
  event: ledgerEvent,
  hash: z.string(),
});

export const snapshot = z.object({
  id: z.string(),
  kind: z.enum(["ebs", "rds"]),
  state: z.string().describe("AWS's word"),
  sizeGigabytes: z.number().describe("of what it is a snapshot of").optional(),
  startedAt: time.describe("the point in time that it holds").optional(),
  run: z.string().describe("the run that took it; missing when it was taken by hand").optional(),
});

export const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
export const byGeneration = z.record(z.string(), count).describe("answers by generation");
export const trafficOfPhase = z.object({
  requests: count,
  failed: count,
  cutByMove: count,
  byGeneration,
  latencyMilliseconds: percentiles,
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

export const array = z.object({
  name: z.string().describe("the Auto Scaling group's"),
  minSize: count,
  maxSize: count,
  desiredCapacity: count.describe("how many servers autoscaling wants"),
  suspendedProcesses: list(z.string()),
  servers: list(
    z.object({
      instanceId: z.string(),
      lifecycleState: z.string().describe("AWS's word"),
      health: z.string().describe("AWS's word, of the load balancer"),
    }),
  ),
});

export const service = z.object({ pid: z.number(), running: z.boolean() });
