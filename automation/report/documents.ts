import { z } from "zod";
import { ledgerEvent, purpose } from "../ledger/events.ts";
import { plannedOperation, row, runEvent, runResult } from "./events.ts";

/**
 * The shapes of everything that `--json` prints, in one place: `docs/schemas/` is generated from them (`npm run schemas`),
 * and what a command prints is checked against them by the compiler. A shape may grow within a version, so readers
 * ignore members that they do not know; whatever else changes raises `version`.
 */
export const version = 1;

const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const document = <Shape extends z.ZodRawShape>(does: string, shape: Shape) =>
  z.object({ version: z.literal(version), ...shape }).describe(does);

const name = z.string();
const time = z.string().describe("ISO 8601, UTC");
const count = z.number();
const seconds = z.number();

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

const lease = z.discriminatedUnion("state", [
  z.object({ state: z.literal("free"), token: z.number() }),
  z.object({ state: z.enum(["held", "expired"]), token: z.number(), holder }),
]);

const unfinishedRun = z.object({
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

const runSummary = z.object({
  run: z.string(),
  from: name,
  to: name,
  command: z.string(),
  started: time,
  updated: time.describe("of the last event"),
  finished: time.optional(),
  outcome: z.enum(["reached", "rolled-back", "failed"]).optional(),
  phase: z.string().describe("phase of the last event that has one").optional(),
  first: z.number().describe("sequence number of the first event"),
  last: z.number().describe("sequence number of the last event"),
  hash: z.string().describe("of the last event"),
});

const ledgerRecord = z.object({
  sequence: z.number(),
  run: z.string(),
  time,
  token: z.number().describe("fencing token of the lease"),
  previous: z.string().describe("hash of the event before"),
  event: ledgerEvent,
  hash: z.string(),
});

const snapshot = z.object({
  id: z.string(),
  kind: z.enum(["ebs", "rds"]),
  state: z.string().describe("AWS's word"),
  sizeGigabytes: z.number().describe("of what it is a snapshot of").optional(),
  startedAt: time.describe("the point in time that it holds").optional(),
  run: z.string().describe("the run that took it; missing when it was taken by hand").optional(),
});

const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
const byGeneration = z.record(z.string(), count).describe("answers by generation");
const trafficOfPhase = z.object({
  requests: count,
  failed: count,
  cutByMove: count,
  byGeneration,
  latencyMilliseconds: percentiles,
});
const failure = z.object({
  at: time,
  target: z.string(),
  outcome: z.enum(["failed", "cutByMove"]),
  error: z.string().optional(),
  status: z.number().optional(),
  generation: z.string().optional(),
  server: z.string().optional(),
  phase: z.string(),
});

const array = z.object({
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

const service = z.object({ pid: z.number(), running: z.boolean() });

export const documents = {
  error: document("a command that did not do what it was asked to; the exit code says what follows", {
    error: z.object({ code: z.string().describe("stable, for programs"), message: z.string() }),
  }),
  help: document("handover --help, handover COMMAND --help", { help: z.string() }),
  completion: document("handover completion", { script: z.string() }),
  event: z
    .intersection(z.object({ version: z.literal(version) }), runEvent)
    .describe("a line of handover upgrade, resume, rollback or abort; the last is run-finished, or an error"),
  plan: document("handover plan", {
    from: name.describe("the generation that the run leaves"),
    to: name.describe("the generation that it goes to; the same as `from` outside of a run"),
    warnings: list(z.string()),
    phases: list(
      z.object({
        name: row,
        operations: list(plannedOperation).describe("by type and name, step by step"),
        gates: list(z.string()).describe("what must hold before the next phase, and commands that must succeed"),
      }),
    ),
  }),
  status: document("handover status", {
    stack: z.string(),
    live: name.describe("the generation that serves").nullable(),
    goal: name.describe("handover:live in the stack's file"),
    run: unfinishedRun.nullable(),
    lease,
    loadBalancer: z
      .object({ arn: z.string(), dnsName: z.string(), port: z.number(), protocol: z.enum(["http", "https"]) })
      .nullable(),
    addresses: list(z.object({ publicIp: z.string(), allocationId: z.string(), instanceId: z.string() })),
    generations: z.record(
      z.string(),
      z.object({
        weight: z.number().describe("share of the public traffic, in percent"),
        frontends: list(
          z.object({ name, instanceId: z.string(), privateIp: z.string(), health: z.string().describe("AWS's word") }),
        ),
        array: array.describe("missing: the generation has none; null: AWS has it no more").nullable().optional(),
      }),
    ),
  }),
  approval: document("handover approve", { run: z.string(), phase: z.string(), digest: z.string(), by: z.string() }),
  history: document("handover history", { runs: list(runSummary).describe("the newest first") }),
  "run-history": document("handover history RUN", { run: z.string(), events: list(ledgerRecord) }),
  verification: document("handover history --verify", {
    ok: z.boolean(),
    events: count.optional(),
    problem: z.enum(["altered", "missing", "reordered"]).optional(),
    sequence: z.number().describe("the first event that is wrong").optional(),
    message: z.string().optional(),
  }),
  report: document("handover report", {
    run: z.string(),
    from: name,
    to: name,
    by: z.string().describe("who began it").nullable(),
    command: z.string(),
    started: time,
    ended: time.nullable(),
    outcome: z.enum(["reached", "rolled-back", "failed"]).describe("null: it has not ended").nullable(),
    seconds: seconds.describe("up to its end, or to its last event"),
    inputs: list(z.object({ name, before: z.json(), after: z.json() })).describe("those that differ"),
    phases: list(
      z.object({
        name: z.string(),
        back: z.boolean().describe("on the way back"),
        started: time,
        seconds,
        finished: z.boolean().describe("its gates have passed"),
        operations: list(z.object({ op: z.string(), type: z.string(), name: z.string() })),
        omitted: count.describe("operations that the ledger has no room for"),
        gates: list(
          z.object({
            gate: z.string(),
            verdict: z.enum(["pass", "fail", "inconclusive"]),
            evidence: z.json(),
            seconds,
          }),
        ),
      }),
    ),
    happenings: list(z.object({ time, what: z.string() })).describe("pauses, approvals, interrupts, the way back"),
  }),
  adopt: document("handover adopt", {
    stack: z.string(),
    files: list(z.string()).describe("what was written, in the project's folder"),
    generation: name.describe("what the servers are called"),
    frontends: list(z.string()).describe("instance ids, in their order"),
    elasticIps: count,
    resources: list(
      z.object({
        type: z.string(),
        name,
        logicalName: z.string().optional(),
        id: z.string().describe("missing: a component").optional(),
        component: z.literal(true).optional(),
        parent: z.string().optional(),
        version: z.string().optional(),
      }),
    ).describe("what is to be imported"),
    remarks: list(z.string()).describe("in what the next generation will be another"),
    next: list(z.string()).describe("commands to type"),
  }),
  "inputs-diff": document("handover inputs diff", {
    stack: z.string(),
    from: name.describe("the generation that serves").nullable(),
    to: name.describe("handover:live in the stack's file"),
    changes: list(
      z.object({
        name: z.string(),
        before: z.string().describe("null: the live generation has no such input").nullable(),
        after: z.string().describe("null: the goal's generation has no such input").nullable(),
        secret: z.boolean().describe("neither side is shown"),
      }),
    ),
  }),
  doctor: document("handover doctor", {
    stack: z.string(),
    healthy: z.boolean().describe("nothing is to be mended"),
    checks: list(
      z.object({
        check: z.string(),
        result: z.enum(["ok", "problem", "skipped"]),
        message: z.string().describe("what was seen; for a problem also how to mend it"),
      }),
    ),
  }),
  snapshots: document("handover snapshots list", { snapshots: list(snapshot).describe("the newest first") }),
  prune: document("handover snapshots prune", {
    dryRun: z.boolean(),
    deleted: list(snapshot).describe("with dryRun: what would be deleted"),
    failures: list(z.object({ id: z.string(), reason: z.string() })).describe("what AWS did not delete"),
    kept: count,
  }),
  rehearsal: document("handover rehearse", {
    outcome: runResult.shape.outcome,
    from: name,
    to: name,
    requests: count,
    failed: count,
    cutByMove: count.describe("in flight through an Elastic IP at the instant of its move"),
    byGeneration,
    arrays: z
      .record(z.string(), count)
      .describe("servers in service in each generation's array: the old one's before, the live one's after"),
    seconds,
    phases: list(runResult.shape.phases.unwrap().element.extend({ traffic: trafficOfPhase.optional() })),
    latencyMilliseconds: percentiles,
    totalSeconds: seconds.describe("with the sandbox's start and end"),
    memoryMegabytes: z.number(),
    failures: list(failure),
    message: z.string().optional(),
  }),
  "sandbox-up": document("handover sandbox up", { name, like: z.string(), ...runResult.shape }),
  "sandbox-env": document("handover sandbox env", {
    name,
    variables: z.record(z.string(), z.string()).describe("an empty one is to be unset"),
  }),
  "sandbox-status": document("handover sandbox status", {
    name,
    up: z.boolean(),
    endpoint: z.string().optional(),
    services: z.record(z.string(), service).optional(),
    loadBalancers: list(z.string()).optional(),
    addresses: list(z.object({ publicIp: z.string(), instanceId: z.string().nullable() })).optional(),
    running: count.describe("instances").optional(),
  }),
  "sandbox-fault": document("handover sandbox fault", { name, fault: z.string() }),
  "sandbox-down": document("handover sandbox down", { name, was: z.enum(["up", "down"]) }),
} as const;

export type DocumentName = keyof typeof documents;
export type DocumentOf<Name extends DocumentName> = z.infer<(typeof documents)[Name]>;
