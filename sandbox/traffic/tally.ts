import { build, type Histogram } from "hdr-histogram-js";
import type { AddressMove } from "../network/elastic-ip.ts";
import type { Result } from "./client.ts";
import {
  type FailureSample,
  mostFailureSamples,
  type OutcomeCounts,
  type Percentiles,
  type TrafficReport,
  type WithoutWayOutReport,
} from "./report.ts";

/** One finished request, and where and when it belongs. */
export interface Sample {
  readonly result: Result;
  /** `address:port`. */
  readonly target: string;
  /** Set when the target is an Elastic IP. */
  readonly publicIp: string | undefined;
  readonly phase: string;
  /** From when it was due until its answer was complete. */
  readonly latencyMilliseconds: number;
  /** The part of it that the answer was asked to take. Default: none. */
  readonly askedMilliseconds?: number;
  /** Delay between when it was due and when it was sent. */
  readonly lateMilliseconds: number;
}

/** The clocks of two processes on one machine agree to this. */
const toleranceMilliseconds = 50;

/**
 * Tells whether a move of an Elastic IP cut the request: its connection was lost, and the address reset one for having
 * moved to another instance between the request's start and its end. Such a request cannot be saved on AWS; any other
 * loss is a failure.
 */
export function isCutByMove({ result, publicIp }: Sample, moves: readonly AddressMove[]): boolean {
  if (publicIp === undefined || result.error?.connectionLost !== true) return false;
  return moves.some(
    (move) =>
      move.publicIp === publicIp &&
      move.from !== null &&
      move.to !== null &&
      move.resets.some((at) => at >= result.sent - toleranceMilliseconds && at <= result.ended + toleranceMilliseconds),
  );
}

/** Counts every request. What failed is kept until the moves are known that may have cut it. */
export class Tally {
  readonly #all = new Group();
  readonly #phases = new Map<string, Group>();
  readonly #targets = new Map<string, Group>();
  readonly #servers = new Map<string, number>();
  readonly #late = histogram();
  readonly #unsuccessful: Sample[] = [];
  #retried = 0;

  add(sample: Sample): void {
    const { result, phase, target } = sample;
    for (const group of [this.#all, of(this.#phases, phase), of(this.#targets, target)]) group.add(sample);
    record(this.#late, sample.lateMilliseconds);
    if (result.server !== undefined) increment(this.#servers, result.server);
    if (result.retried) this.#retried++;
    if (!succeeded(result)) this.#unsuccessful.push(sample);
  }

  /** @param moves every move of an address while the load ran. @param failureSamples the most that are told */
  report(
    moves: readonly AddressMove[],
    elapsedSeconds: number,
    failureSamples: number = mostFailureSamples,
  ): Omit<TrafficReport, keyof WithoutWayOutReport> {
    const failures = this.#unsuccessful.map((sample) => ({ sample, cut: isCutByMove(sample, moves) }));
    const counts = ({ requests }: Group, belongs: (sample: Sample) => boolean): OutcomeCounts => {
      const own = failures.filter(({ sample }) => belongs(sample));
      const cutByMove = own.filter(({ cut }) => cut).length;
      return { requests, failed: own.length - cutByMove, cutByMove };
    };
    const byPhase = [...this.#phases].map(([phase, group]) => [
      phase,
      {
        ...counts(group, (sample) => sample.phase === phase),
        byGeneration: Object.fromEntries(group.generations),
        latencyMilliseconds: percentiles(group.latency),
      },
    ]);
    const byTarget = [...this.#targets].map(([target, group]) => [
      target,
      counts(group, (sample) => sample.target === target),
    ]);
    const longestWait = [...this.#targets].map(([target, group]) => [target, rounded(group.longestWait)]);
    return {
      ...counts(this.#all, () => true),
      retried: this.#retried,
      byGeneration: Object.fromEntries(this.#all.generations),
      byServer: Object.fromEntries(this.#servers),
      byPhase: Object.fromEntries(byPhase),
      byTarget: Object.fromEntries(byTarget),
      longestWaitMilliseconds: Object.fromEntries(longestWait),
      latencyMilliseconds: percentiles(this.#all.latency),
      achievedRequestsPerSecond: rounded(elapsedSeconds > 0 ? this.#all.requests / elapsedSeconds : 0),
      lateMilliseconds: percentiles(this.#late),
      failures: [...failures.filter(({ cut }) => !cut), ...failures.filter(({ cut }) => cut)]
        .slice(0, failureSamples)
        .map(({ sample, cut }) => failureSample(sample, cut)),
    };
  }
}

class Group {
  requests = 0;
  readonly generations = new Map<string, number>();
  readonly latency = histogram();
  longestWait = 0;

  add({ result, latencyMilliseconds, askedMilliseconds = 0 }: Sample): void {
    this.requests++;
    const wait = latencyMilliseconds - askedMilliseconds;
    if (result.error === undefined) this.longestWait = Math.max(this.longestWait, wait);
    if (result.generation !== undefined) increment(this.generations, result.generation);
    if (result.error === undefined) record(this.latency, latencyMilliseconds);
  }
}

function succeeded({ status, error }: Result): boolean {
  return error === undefined && status !== undefined && status >= 200 && status < 300;
}

function failureSample({ result, target, phase }: Sample, cut: boolean): FailureSample {
  const { ended, error, status, generation, server } = result;
  const outcome = cut ? "cutByMove" : "failed";
  return { at: new Date(ended).toISOString(), target, outcome, error: error?.code, status, generation, server, phase };
}

/** Microseconds up to a minute, to three digits. */
function histogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

function record(histogram: Histogram, milliseconds: number): void {
  histogram.recordValue(Math.min(Math.max(Math.round(milliseconds * 1000), 0), 60_000_000));
}

function percentiles(histogram: Histogram): Percentiles {
  const at = (percentile: number) => rounded(histogram.getValueAtPercentile(percentile) / 1000);
  return { p50: at(50), p95: at(95), p99: at(99), max: rounded(histogram.maxValue / 1000) };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function of(groups: Map<string, Group>, key: string): Group {
  const known = groups.get(key) ?? new Group();
  groups.set(key, known);
  return known;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
