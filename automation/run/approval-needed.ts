import { exitCodes, HandoverError } from "../errors.ts";
import type { GatedRow } from "../runbook/gates.ts";

/** A person must approve the plan before it is applied. */
export class ApprovalNeeded extends HandoverError {
  /** What is approved. */
  readonly digest: string;

  constructor(row: GatedRow, digest: string, why = "") {
    super("approval-needed", exitCodes.paused, `${row} waits for approval${why}`);
    this.digest = digest;
  }
}
