import { exitCodes, HandoverError } from "../errors.ts";
import type { Row } from "../runbook/rows.ts";

/** A person must approve the plan before it is applied. */
export class ApprovalNeeded extends HandoverError {
  /** Digest of the plan that is approved. */
  readonly digest: string;

  constructor(row: Row, digest: string, why = "") {
    super("approval-needed", exitCodes.paused, `${row} waits for approval${why}`);
    this.digest = digest;
  }
}
