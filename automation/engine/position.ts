/** Overrides of the stack's configuration that place one update in the runbook. */
export interface Position {
  readonly phase?: string;
  readonly step?: number;
  readonly run?: {
    readonly id: string;
    readonly from: string;
    readonly to: string;
    /** Old servers that `retire` leaves for now, or all that are there on the way back. */
    readonly left?: readonly string[];
    /** Old servers that cannot serve: no address comes back to them. */
    readonly short?: readonly string[];
    /** The new generation gets all traffic in one step. */
    readonly atOnce?: true;
  };
  /** The goal, when it is not the one in the file: on the way back. */
  readonly live?: string;
}
