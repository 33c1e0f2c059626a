import type { GateResult } from "../gates/gate.ts";
import type { GatedRow } from "../gates/of-row.ts";
import type { Operation } from "../recorder.ts";

/** What a run tells while it goes, one JSON line each with `--json`. */
export type RunEvent =
  | {
      readonly type: "run-started";
      readonly run: string;
      readonly from: string;
      readonly to: string;
      readonly resumed: boolean;
    }
  | { readonly type: "phase-started"; readonly phase: GatedRow; readonly does: string }
  | {
      readonly type: "plan";
      readonly phase: GatedRow;
      readonly step?: number;
      readonly digest: string;
      readonly operations: readonly PlannedOperation[];
    }
  | { readonly type: "applied"; readonly phase: GatedRow; readonly step?: number; readonly seconds: number }
  | { readonly type: "output"; readonly phase: GatedRow; readonly line: string }
  | ({ readonly type: "gate"; readonly phase: GatedRow } & GateResult)
  | ({ readonly type: "phase-finished" } & PhaseReport)
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "failed"; readonly phase: GatedRow; readonly message: string }
  | { readonly type: "rollback-started"; readonly phase: GatedRow; readonly reason: string }
  | ({ readonly type: "run-finished" } & RunResult);

export type PlannedOperation = Pick<Operation, "op" | "type" | "name" | "properties">;

export interface PhaseReport {
  readonly name: GatedRow;
  readonly seconds: number;
  /** How many operations the engine did in the cloud. */
  readonly operations: number;
  /** Part of `seconds` in which neither the cloud worked nor a gate or a command was waited for. */
  readonly overheadSeconds: number;
}

export type Outcome = "reached" | "rolled-back" | "paused" | "failed" | "interrupted" | "aborted";

/** How a run ended: the last line of its JSON lines. */
export interface RunResult {
  readonly outcome: Outcome;
  readonly run: string | null;
  readonly from: string;
  readonly to: string;
  readonly live: string;
  readonly seconds: number;
  readonly phases: readonly PhaseReport[];
  readonly exitCode: number;
  /** Why it did not reach the goal, and what to type next. */
  readonly message?: string;
  /** The plan that waits for approval. */
  readonly digest?: string;
}

export type Listener = (event: RunEvent) => void;
