import { secondsSince } from "../elapsed.ts";
import { type GateResult, hold, notJudgedIn, type Waiting, watch } from "../gates/gate.ts";
import { GateError } from "../gates/gate-error.ts";
import type { RowGates } from "../runbook/gates.ts";
import type { Row } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import { type Told, Waits } from "./waits.ts";

/** Holds a run until gates have passed, and tells what they saw. */
export class HeldGates {
  readonly #ledger: Drive["ledger"];
  /** Patience of a gate that has none of its own, in seconds. */
  readonly #seconds: number;
  /** What was told to be open. */
  readonly #open = new Set<string>();
  /** Nobody waits for evidence any more: the run was told to stop, or the stack is somebody else's. */
  readonly signal: AbortSignal;

  constructor({ ledger, opened, options }: Pick<Drive, "ledger" | "opened" | "options">) {
    this.#ledger = ledger;
    this.#seconds = opened.config.upgrade.gateSeconds;
    this.signal = AbortSignal.any([options.signals.stop, ledger.lost]);
  }

  /**
   * Waits for gates one kind after the other.
   * @returns how long was waited, in seconds
   * @throws GateError
   */
  async hold(row: Row, { first = [], hold: once, watch: watched }: RowGates): Promise<number> {
    const started = performance.now();
    const judge = (seen: readonly GateResult[]) => {
      const results = this.tell(row, seen);
      if (results.some(({ verdict }) => verdict !== "pass")) throw new GateError(row, results);
    };
    const { signal } = this;
    const waits = new Waits((waiting) => this.#tellWaiting(row, waiting));
    try {
      const patience = {
        ...{ seconds: this.#seconds, signal },
        onWait: (waiting: Waiting) => waits.heard(waiting),
        onSettled: (gate: string) => waits.settled(gate),
      };
      judge(await hold(first, patience));
      judge(await hold(once, patience));
      if (watched !== undefined) {
        waits.watch(watched.seconds);
        judge(await watch(watched.gates, watched.seconds, signal));
      }
      return secondsSince(started);
    } finally {
      waits.end();
    }
  }

  #tellWaiting(row: Row, { seconds, leftSeconds, ...waiting }: Told): void {
    const { gate, evidence } = this.#ledger.clean({ ...waiting, verdict: "inconclusive", seconds });
    this.#ledger.tell({ type: "waiting", phase: row, gate, evidence, seconds, leftSeconds });
  }

  /** @returns the results without secrets, as they are printed and recorded */
  tell(row: Row, seen: readonly GateResult[]): readonly GateResult[] {
    const results = seen.map((result) => this.#ledger.clean(result));
    for (const { notSeen: _, ...result } of results) {
      this.#ledger.tell({ type: "gate", phase: row, ...result });
      const notJudged = notJudgedIn(result.evidence);
      if (result.verdict !== "pass" || notJudged === undefined) continue;
      const message = `${row}: ${result.gate}: not judged: ${notJudged}`;
      // A row of several updates is told once.
      if (!this.#open.has(message)) this.#ledger.tell({ type: "warning", message });
      this.#open.add(message);
    }
    return results;
  }
}
