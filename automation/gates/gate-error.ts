import { type NotSeen, remedies } from "../cloud/not-seen.ts";
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
      { happened: `${row}: ${text}`, ...(inconclusive && { first: remedyFor(missed) }) },
    );
    this.row = row;
    this.results = results;
  }

  get inconclusive(): boolean {
    return this.code === "evidence-inconclusive";
  }
}

function remedyFor(results: readonly GateResult[]): string | undefined {
  const causes = new Set(
    results.map(({ notSeen }) => notSeen).filter((cause): cause is NotSeen => cause !== undefined),
  );
  return causes.size === 0 ? undefined : [...causes].map((cause) => remedies[cause]).join(". ");
}
