/** Result of the load generator. Every request that was sent has exactly one outcome: ok, failed or cutByMove. */
export interface TrafficReport extends WithoutWayOutReport {
  /** All that were sent. */
  readonly requests: number;
  /** Answered with another status than 2xx, or not at all. */
  readonly failed: number;
  /** In flight through an Elastic IP at the instant of its move, and reset by it. */
  readonly cutByMove: number;
  /** Sent a second time, on a new connection, because a reused one was reset before any byte of the answer. */
  readonly retried: number;
  /** Answers by `x-generation`. */
  readonly byGeneration: Readonly<Record<string, number>>;
  /** Answers by `x-server`. */
  readonly byServer: Readonly<Record<string, number>>;
  /** Figures by the phase in which a request was sent. */
  readonly byPhase: Readonly<Record<string, PhaseReport>>;
  /** Figures by address and port: `127.144.0.10:8000`. */
  readonly byTarget: Readonly<Record<string, OutcomeCounts>>;
  /** The longest that an answer took by target, without the time that it was asked to take. */
  readonly longestWaitMilliseconds: Readonly<Record<string, number>>;
  /** From the instant at which a request was due until its answer was complete; of answered requests. */
  readonly latencyMilliseconds: Percentiles;
  readonly achievedRequestsPerSecond: number;
  /** Delay from due to sent: above a few milliseconds the generator itself fell behind. */
  readonly lateMilliseconds: Percentiles;
  /** Failed requests in order of time, then those cut by a move; at most `failureSamples` of the load's options. */
  readonly failures: readonly FailureSample[];
}

/** Of these requests, failed or not, nobody can say whether the site did for its users what it has to call others for. */
export interface WithoutWayOutReport {
  /** Requests that a server began to serve while it could not reach the Internet. */
  readonly withoutWayOut: number;
  /** The servers that did. */
  readonly servedWithoutWayOut: readonly {
    readonly server: string;
    readonly generation: string;
    readonly requests: number;
    /** When the first and the last of them came, ISO 8601. */
    readonly first: string;
    readonly last: string;
    /** The phases of these two. */
    readonly phases: readonly string[];
  }[];
}

export interface OutcomeCounts {
  readonly requests: number;
  readonly failed: number;
  readonly cutByMove: number;
}

export interface PhaseReport extends OutcomeCounts {
  readonly byGeneration: Readonly<Record<string, number>>;
  readonly latencyMilliseconds: Percentiles;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface FailureSample {
  /** When it failed, ISO 8601. */
  readonly at: string;
  readonly target: string;
  readonly outcome: "failed" | "cutByMove";
  readonly error?: string;
  readonly status?: number;
  readonly generation?: string;
  readonly server?: string;
  readonly phase: string;
}

export const mostFailureSamples = 20;

/** Finds what users lost, or may have lost. Empty when there was nothing. */
export function problemsOf(report: TrafficReport): string[] {
  const { failed, failures } = report;
  const samples = failures.filter(({ outcome }) => outcome === "failed").slice(0, 3);
  const lost = failed > 0 ? [`${failed} failed: ${JSON.stringify(samples)}`] : [];
  return [...lost, ...wayOutProblems(report)];
}

/** Finds users whom servers without a way out served. Empty when there was none. */
export function wayOutProblems({ withoutWayOut, servedWithoutWayOut }: WithoutWayOutReport): string[] {
  if (withoutWayOut === 0) return [];
  return [`${withoutWayOut} served without a way out: ${JSON.stringify(servedWithoutWayOut.slice(0, 3))}`];
}
