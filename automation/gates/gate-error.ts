import { exitCodes, HandoverError } from "../errors.ts";
import type { Row } from "../runbook/rows.ts";
import type { GateResult } from "./gate.ts";

/** A gate did not hold. */
export class GateError extends HandoverError {
  readonly row: Row;
  readonly results: readonly GateResult[];

  constructor(row: Row, results: readonly GateResult[]) {
    const missed = results.filter(({ verdict }) => verdict !== "pass");
    const inconclusive = missed.every(({ verdict }) => verdict === "inconclusive");
    const text = missed
      .map(({ gate, verdict, evidence }) => `${gate}: ${verdict}: ${JSON.stringify(evidence)}`)
      .join("; ");
    super(
      inconclusive ? "evidence-inconclusive" : "gate-failed",
      inconclusive ? exitCodes.paused : exitCodes.rolledBack,
      `${row}: ${text}`,
    );
    this.row = row;
    this.results = results;
  }

  get inconclusive(): boolean {
    return this.code === "evidence-inconclusive";
  }
}
