import { z } from "zod";
import { outcome, verdict } from "../ledger/events.ts";
import {
  array,
  byGeneration,
  count,
  document,
  failure,
  healthByEntry,
  lease,
  ledgerRecord,
  list,
  listener,
  name,
  percentiles,
  runSummary,
  seconds,
  servedWithoutWayOut,
  service,
  snapshot,
  time,
  trafficOfPhase,
  unfinishedRun,
  version,
} from "./document-parts.ts";
import { plannedOperation, row, runEvent, runResult } from "./events.ts";

export { version } from "./document-parts.ts";

/**
 * The shapes of everything that `--json` prints, in one place: `docs/schemas/` is generated from them (`npm run schemas`),
 * and what a command prints is checked against them by the compiler. A shape may grow within a version, so readers
 * ignore members that they do not know; whatever else changes raises `version`.
 */
export const documents = {
  error: document("a command that failed; the exit code says what state things are in", {
    error: z.object({ code: z.string().describe("stable, meant for programs"), message: z.string() }),
  }),
  release: document("handover --version", { release: z.string() }),
  help: document("handover --help, handover COMMAND --help", { help: z.string() }),
  completion: document("handover completion", { script: z.string() }),
  event: z
    .intersection(z.object({ version: z.literal(version) }), runEvent)
    .describe("one line of handover upgrade, resume, rollback or abort; the last one is run-finished or an error"),
  plan: document("handover plan", {
    from: name.describe("the generation to leave"),
    to: name.describe("the generation to go to; equal to `from` outside of a run"),
    warnings: list(z.string()),
    expected: z
      .object({
        seconds,
        runs: count.describe("runs of which it is the median; 0: what the configuration and AWS have it wait at least"),
      })
      .describe("how long it is expected to take; missing outside of a run")
      .optional(),
    phases: list(
      z.object({
        name: row,
        expectedSeconds: seconds.describe("missing where nothing is known").optional(),
        operations: list(plannedOperation).describe("step by step, sorted by type and name"),
        effects: list(z.string()).describe("what users would notice: shares of the traffic, and addresses that move"),
        gates: list(z.string()).describe("gates that must hold, and commands that must succeed, before the next phase"),
      }),
    ),
  }),
  status: document("handover status", {
    stack: z.string(),
    live: name.describe("the generation that serves").nullable(),
    goal: name.describe("handover:live in the stack's file"),
    run: unfinishedRun
      .extend({
        ended: z
          .enum(["reached", "rolled-back", "given-up"])
          .describe("how it was ended by hand; the next command records it")
          .optional(),
      })
      .nullable(),
    lease,
    loadBalancer: listener.nullable(),
    entries: z.record(z.string(), listener).describe("further entries of the site; missing without any").optional(),
    addresses: list(
      z.object({
        publicIp: z.string(),
        allocationId: z.string(),
        instanceId: z.string().describe("the server to which the last update gave it"),
        heldBy: z.string().describe("the server that AWS shows").nullable(),
        protected: z.boolean().describe("whether the engine refuses to release it").optional(),
        named: z.literal(true).describe("set for one that the file names: it is never released").optional(),
      }),
    ),
    missing: list(z.string()).describe("what AWS does not show as the last update left it"),
    generations: z.record(
      z.string(),
      z.object({
        weight: z.number().describe("share of the public traffic in percent"),
        frontends: list(
          z.object({
            name,
            instanceId: z.string(),
            privateIp: z.string(),
            state: z.string().describe("the instance's state in AWS's words"),
            health: z.string().describe("target health in AWS's words"),
            entries: healthByEntry,
          }),
        ),
        array: array
          .describe("missing if the generation has none; null if it no longer exists in AWS")
          .nullable()
          .optional(),
      }),
    ),
  }),
  approval: document("handover approve", { run: z.string(), phase: z.string(), digest: z.string(), by: z.string() }),
  history: document("handover history", { runs: list(runSummary).describe("newest first") }),
  "run-history": document("handover history RUN", { run: z.string(), events: list(ledgerRecord) }),
  verification: document("handover history --verify", {
    ok: z.boolean(),
    events: count.optional(),
    problem: z.enum(["altered", "missing", "reordered"]).optional(),
    sequence: z.number().describe("sequence number of the first wrong event").optional(),
    message: z.string().optional(),
  }),
  report: document("handover report", {
    run: z.string(),
    from: name,
    to: name,
    by: z.string().describe("who started it").nullable(),
    command: z.string(),
    started: time,
    ended: time.nullable(),
    outcome: outcome.describe("null: it has not ended").nullable(),
    seconds: seconds.describe("up to its end, or to its last event"),
    inputs: list(z.object({ name, before: z.json(), after: z.json() })).describe("inputs that differ"),
    phases: list(
      z.object({
        name: z.string(),
        back: z.boolean().describe("whether it is on the way back"),
        started: time,
        seconds,
        finished: z.boolean().describe("whether its gates have passed"),
        operations: list(z.object({ op: z.string(), type: z.string(), name: z.string() })),
        omitted: count.describe("number of operations that did not fit into the ledger"),
        gates: list(
          z.object({
            gate: z.string(),
            verdict,
            evidence: z.json(),
            seconds,
          }),
        ),
      }),
    ),
    happenings: list(z.object({ time, what: z.string() })).describe("pauses, approvals, interrupts, the way back"),
  }),
  init: document("handover init", {
    name: name.describe("of the Pulumi project"),
    stack: z.string(),
    files: list(z.string()).describe("files that were written, in this folder"),
    remarks: list(z.string()).describe("what the workflows need besides"),
    next: list(z.string()).describe("commands to type next"),
  }),
  adopt: document("handover adopt", {
    stack: z.string(),
    files: list(z.string()).describe("files that were written, in the project's folder"),
    generation: name.describe("generation that the servers become"),
    frontends: list(z.string()).describe("instance ids, in order"),
    elasticIps: count,
    resources: list(
      z.object({
        type: z.string(),
        name,
        logicalName: z.string().optional(),
        id: z.string().describe("missing for a component").optional(),
        component: z.literal(true).optional(),
        parent: z.string().optional(),
        version: z.string().optional(),
      }),
    ).describe("resources to import"),
    remarks: list(z.string()).describe("how the next generation will differ"),
    next: list(z.string()).describe("commands to type next"),
  }),
  "inputs-diff": document("handover inputs diff", {
    stack: z.string(),
    from: name.describe("the generation that serves").nullable(),
    to: name.describe("handover:live in the stack's file"),
    changes: list(
      z.object({
        name: z.string(),
        before: z.string().describe("null if the live generation has no such input").nullable(),
        after: z.string().describe("null if the goal's generation has no such input").nullable(),
        secret: z.boolean().describe("if true, neither value is shown"),
      }),
    ),
  }),
  doctor: document("handover doctor", {
    stack: z.string(),
    healthy: z.boolean().describe("true if nothing needs fixing"),
    checks: list(
      z.object({
        check: z.string(),
        result: z.enum(["ok", "problem", "skipped"]),
        message: z.string().describe("what was found, and for a problem how to fix it"),
      }),
    ),
  }),
  drift: document("handover drift", {
    stack: z.string(),
    drifted: z.boolean().describe("true if anything was changed"),
    resources: list(
      z.object({
        type: z.string(),
        name,
        gone: z.boolean().describe("AWS does not have it any more"),
        properties: list(
          z.object({
            name: z.string().describe("path of the property"),
            before: z.json().describe("as the last update left it"),
            after: z.json().describe("as AWS has it"),
          }),
        ),
      }),
    ).describe("resources that are not as the last update left them"),
    missing: list(z.string()).describe("servers, targets and addresses that do not serve as the last update left them"),
  }),
  snapshots: document("handover snapshots list", { snapshots: list(snapshot).describe("newest first") }),
  prune: document("handover snapshots prune", {
    dryRun: z.boolean(),
    deleted: list(snapshot).describe("with dryRun, what would be deleted"),
    failures: list(z.object({ id: z.string(), reason: z.string() })).describe("snapshots that AWS did not delete"),
    kept: count,
  }),
  rehearsal: document("handover rehearse", {
    outcome: runResult.shape.outcome,
    from: name,
    to: name,
    requests: count,
    failed: count,
    cutByMove: count.describe("requests in flight through an Elastic IP at the instant of its move"),
    withoutWayOut: count.describe("requests that a server began to serve while it could not reach the Internet"),
    servedWithoutWayOut: list(servedWithoutWayOut),
    byGeneration,
    arrays: z
      .record(z.string(), count)
      .describe("servers in service in each array: the old generation's before, the live one's after"),
    seconds,
    phases: list(runResult.shape.phases.unwrap().element.extend({ traffic: trafficOfPhase.optional() })),
    longestWaitMilliseconds: z
      .record(z.string(), z.number())
      .describe("longest that an answer took beyond what it was asked to take, by address and port"),
    latencyMilliseconds: percentiles,
    minuteSeconds: seconds.describe("how long a minute of metrics, of status checks and of autoscaling lasted"),
    totalSeconds: seconds.describe("including the sandbox's start and end"),
    memoryMegabytes: z.number(),
    failures: list(failure),
    message: z.string().optional(),
  }),
  "sandbox-up": document("handover sandbox up", { name, like: z.string(), ...runResult.shape }),
  "sandbox-env": document("handover sandbox env", {
    name,
    variables: z.record(z.string(), z.string()).describe("unset those that are empty"),
  }),
  "sandbox-status": document("handover sandbox status", {
    name,
    up: z.boolean(),
    endpoint: z.string().optional(),
    services: z.record(z.string(), service).optional(),
    loadBalancers: list(z.string()).optional(),
    addresses: list(z.object({ publicIp: z.string(), instanceId: z.string().nullable() })).optional(),
    running: count.describe("number of running instances").optional(),
  }),
  "sandbox-fault": document("handover sandbox fault", { name, fault: z.string() }),
  "sandbox-down": document("handover sandbox down", { name, was: z.enum(["up", "down"]) }),
} as const;

export type DocumentName = keyof typeof documents;
export type DocumentOf<Name extends DocumentName> = z.infer<(typeof documents)[Name]>;
