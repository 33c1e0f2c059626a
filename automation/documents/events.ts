import { z } from "zod";
import type { Evidence } from "../gates/gate.ts";
import { pauseReason, verdict } from "../ledger/events.ts";
import { type Row, rowNames } from "../runbook/rows.ts";

/** Events of a run while it goes on; with `--json`, one JSON line each. */

export const row: z.ZodType<Row> = z.enum(rowNames).describe("phase, or row of the way back");
const evidence: z.ZodType<Evidence> = z.json().describe("what the gate saw");
const step = z.number().describe("step within the phase; 1 is the first").optional();
const seconds = z.number();

export const plannedOperation = z.object({
  op: z.string().describe("operation in the engine's words: create, update, delete, create-replacement, …"),
  type: z.string().describe("resource type, for example aws:ec2/instance:Instance"),
  name: z.string(),
  properties: z.array(z.string()).readonly().describe("inputs that differ"),
});

const appliedOperation = plannedOperation.omit({ properties: true });

const phaseReport = z.object({
  name: row,
  seconds,
  operations: z.number().describe("number of operations that the engine did in the cloud"),
  overheadSeconds: z
    .number()
    .describe("part of `seconds` spent neither in the cloud nor waiting for a gate or a command"),
  ledgerSeconds: z.number().describe("part of `seconds` spent waiting for the ledger"),
});

/** A run's end: the last of its JSON lines. */
export const runResult = z.object({
  outcome: z.enum(["reached", "rolled-back", "paused", "failed", "interrupted", "aborted"]),
  run: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  live: z.string().describe("the generation that serves"),
  seconds,
  phases: z.array(phaseReport).readonly(),
  exitCode: z.number(),
  message: z.string().describe("why the goal was not reached, and what to type next").optional(),
  next: z.string().describe("the command to type next").optional(),
  phase: row.describe("where the run stopped").optional(),
  reason: pauseReason.describe("what the run waits for").optional(),
  digest: z.string().describe("the plan that waits for approval").optional(),
  signal: z.string().describe("the signal that interrupted the run").optional(),
});

const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), ...shape });

export const runEvent = z.discriminatedUnion("type", [
  event("run-started", { run: z.string(), from: z.string(), to: z.string(), resumed: z.boolean() }),
  event("phase-started", { phase: row, does: z.string() }),
  event("plan", { phase: row, step, digest: z.string(), operations: z.array(plannedOperation).readonly() }),
  event("applied", { phase: row, step, seconds, operations: z.array(appliedOperation).readonly() }),
  event("output", { phase: row, line: z.string().describe("a line of the site's own command") }),
  event("gate", {
    phase: row,
    gate: z.string(),
    verdict,
    evidence,
    seconds,
  }),
  event("waiting", {
    phase: row,
    gate: z.string().describe("what the run waits for, or watching: all gates are watched for a time"),
    evidence: evidence.describe("what the gate saw last"),
    seconds: seconds.describe("how long gates have been waited for in this phase"),
    leftSeconds: seconds.describe("how long this one may take yet"),
  }),
  event("phase-finished", phaseReport.shape),
  event("warning", { message: z.string() }),
  event("failed", { phase: row, message: z.string() }),
  event("rollback-started", { phase: row, reason: z.string() }),
  event("run-finished", runResult.shape),
]);

export type RunEvent = Readonly<z.infer<typeof runEvent>>;
export type PlannedOperation = Readonly<z.infer<typeof plannedOperation>>;
export type PhaseReport = Readonly<z.infer<typeof phaseReport>>;
export type RunResult = Readonly<z.infer<typeof runResult>>;
export type Outcome = RunResult["outcome"];

export type Listener = (event: RunEvent) => void;
