import type { ComparisonConfig } from "../../stacks/config/watch-schema.ts";
import { type Answers, BalancerMetrics } from "../cloud/balancer-metrics.ts";
import { type CloudWatch, finalUntil, lateSeconds, type Series, type Span } from "../cloud/cloudwatch.ts";
import { ofEntry } from "./context.ts";
import type { Evidence, Gate, Observation } from "./gate.ts";
import { Looks } from "./looks.ts";
import { lookEverySeconds } from "./metrics.ts";
import { fewest, type Judgement, judge } from "./proportions.ts";

export interface Side {
  readonly name: string;
  readonly targetGroupArn: string;
  /** Share of the public traffic, in percent. */
  readonly weight: number;
}

export interface Sides {
  readonly next: Side;
  readonly old: Side;
  /** Undefined for the first. */
  readonly entry?: string | undefined;
  readonly loadBalancerArn: string;
}

/** Time before the step in which the rate of requests is looked for, and the old generation's answers once it gets none. */
const lookBackSeconds = 900;

/**
 * The new generation answers no worse than the old one: neither its share of 5xx nor its share of slow requests is larger
 * by more than the tolerance. Both are counts of requests, so one test judges both: see proportions.ts and
 * docs/decisions/0007-comparison.md. Nor does it refuse many more requests with 4xx while both have traffic: clients cause
 * these too, in bursts, so nothing waits for that verdict, and no earlier traffic stands for the old one's.
 *
 * Without traffic left for the old one (the bake), its last 15 minutes are what the new one is held against; without any
 * then, there is nothing to compare. After a pass a new comparison begins, as long as the gate is watched.
 */
export class Comparison implements Gate {
  readonly name: string;
  readonly patienceSeconds: number;
  readonly whenOver = "inconclusive";
  readonly everySeconds: number;
  readonly #metrics: BalancerMetrics;
  readonly #sides: Sides;
  readonly #settings: ComparisonConfig;
  readonly #clock: () => number;
  readonly #begun: number;
  /** Before the step. */
  readonly #before: Span;
  /** From when on requests are compared. */
  #since: number;
  readonly #looks: Looks;
  #passed: Evidence | undefined;

  /** @param clock the time in milliseconds since 1970 */
  constructor(
    cloudWatch: Pick<CloudWatch, "metricData">,
    sides: Sides,
    settings: ComparisonConfig,
    clock: () => number = Date.now,
  ) {
    const { periodSeconds, whenTooFew } = settings;
    this.#settings = settings;
    this.name = `no worse than ${sides.old.name}: ${ofEntry(sides.next.name, sides.entry)}`;
    this.everySeconds = lookEverySeconds(settings);
    // Where too few requests are no reason to stop, it is the gate itself that says so in time.
    this.patienceSeconds = this.#limitSeconds + (whenTooFew === "pass" ? 3 * this.everySeconds : 0);
    this.#metrics = new BalancerMetrics(cloudWatch, sides.loadBalancerArn, periodSeconds);
    this.#sides = sides;
    this.#looks = new Looks(settings.minRequests);
    this.#clock = clock;
    this.#begun = clock();
    // Only periods that lie in the step as a whole.
    this.#since = Math.ceil(this.#begun / this.#period) * this.#period;
    this.#before = { start: this.#since - lookBackSeconds * 1000, end: this.#since };
  }

  async observe(signal: AbortSignal): Promise<Observation> {
    const { next, old } = this.#sides;
    const { whenTooFew, patienceSeconds, minRequests } = this.#settings;
    const final = finalUntil(this.#clock(), this.#settings.periodSeconds);
    const end = Math.max(final, this.#since);
    const span = { start: this.#since, end };
    const baseline = old.weight > 0 ? span : this.#before;
    const groups = [next.targetGroupArn, old.targetGroupArn];
    const requests = await this.#metrics.requests(groups, { start: this.#before.start, end }, signal);
    const known = sum(requests[1], baseline);
    if (old.weight === 0 && known < minRequests) {
      if (final < this.#before.end) return { verdict: "pending", evidence: { soFar: known } };
      const notJudged = `${old.name} had ${known} requests in the last ${lookBackSeconds / 60} minutes of its traffic`;
      return { verdict: "pass", evidence: { notJudged } };
    }
    const { verdicts, evidence } = sum(requests[0], span) > 0 ? await this.#compare(span, baseline, signal) : unseen;
    if (verdicts.includes("worse")) return { verdict: "fail", evidence };
    if (verdicts.length > 0 && verdicts.every((verdict) => verdict === "no worse")) {
      // A period without requests is not told.
      const judged = Math.max(...(requests[0]?.keys() ?? [])) + this.#period;
      [this.#passed, this.#since] = [evidence, judged];
      this.#looks.startOver();
    }
    if (this.#passed !== undefined) return { verdict: "pass", evidence: this.#passed };
    const expected = Math.round((perSecond(requests, this.#period) * next.weight * patienceSeconds) / 100);
    if (whenTooFew === "pass") {
      const tooFewRequests = { expected, needed: this.#needed, withinSeconds: patienceSeconds };
      if (expected < this.#needed)
        return { verdict: "pass", evidence: { ...evidence, notJudged: "too few requests", tooFewRequests } };
      const isOver = this.#clock() - this.#begun >= this.#limitSeconds * 1000;
      const undecided = { notJudged: "undecided", undecidedAfterSeconds: patienceSeconds };
      if (isOver) return { verdict: "pass", evidence: { ...evidence, ...undecided } };
    }
    return { verdict: "pending", evidence: { ...evidence, expected, needed: this.#needed } };
  }

  get #period(): number {
    return this.#settings.periodSeconds * 1000;
  }

  /** The patience is for requests; to know of them takes longer. */
  get #limitSeconds(): number {
    return this.#settings.patienceSeconds + lateSeconds(this.#settings.periodSeconds);
  }

  /** The fewest requests that can show that nothing is worse. */
  get #needed(): number {
    const { tolerance, confidence, slow, minRequests } = this.#settings;
    return Math.max(minRequests, fewest({ tolerance, confidence }), fewest({ ...slow, confidence }));
  }

  async #compare(span: Span, baseline: Span, signal: AbortSignal): Promise<Compared> {
    const { next, old } = this.#sides;
    const { tolerance, confidence, slow, clientErrorTolerance } = this.#settings;
    const threshold = await this.#metrics.threshold(old.targetGroupArn, baseline, slow, signal);
    if (threshold === undefined) return unseen;
    const [ours, theirs] = await Promise.all([
      this.#metrics.answers(next.targetGroupArn, span, threshold, signal),
      this.#metrics.answers(old.targetGroupArn, baseline, threshold, signal),
    ]);
    this.#looks.begin(ours.requests);
    // Each of the tests may err.
    const look = () => this.#looks.next();
    const share = (of: Answers, what: "errors" | "slow" | "clientErrors") => ({ count: of[what], of: of.requests });
    const errors = judge(share(ours, "errors"), share(theirs, "errors"), { tolerance, confidence, look: look() });
    const slowness = judge(share(ours, "slow"), share(theirs, "slow"), { ...slow, confidence, look: look() });
    const clientErrors =
      old.weight > 0 &&
      judge(share(ours, "clientErrors"), share(theirs, "clientErrors"), {
        ...{ tolerance: clientErrorTolerance, confidence, look: look() },
      });
    const evidence = {
      [next.name]: { ...ours },
      [old.name]: { ...theirs },
      slowAfterSeconds: Number(threshold.toFixed(3)),
      errors,
      slow: slowness,
      ...(clientErrors !== false && { clientErrors }),
    };
    return { verdicts: [errors, slowness, ...(clientErrors === "worse" ? [clientErrors] : [])], evidence };
  }
}

interface Compared {
  readonly verdicts: readonly Judgement[];
  readonly evidence: { readonly [key: string]: Evidence };
}

/** Nothing to compare yet. */
const unseen: Compared = { verdicts: [], evidence: {} };

function sum(series: Series | undefined, { start, end }: Span): number {
  let total = 0;
  for (const [time, value] of series ?? []) if (time >= start && time < end) total += value;
  return total;
}

/** Requests a second, from the first period that had one to the last. */
function perSecond(series: readonly Series[], period: number): number {
  const times = series.flatMap((one) => [...one.keys()]);
  if (times.length === 0) return 0;
  const seconds = (Math.max(...times) - Math.min(...times) + period) / 1000;
  return series.reduce((total, one) => total + sum(one, { start: 0, end: Number.POSITIVE_INFINITY }), 0) / seconds;
}
