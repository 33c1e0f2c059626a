import pLimit from "p-limit";
import { type HttpCheck, headersOf } from "../../stacks/config/checks.ts";
import type { ComparisonConfig, ProbeConfig } from "../../stacks/config/watch-schema.ts";
import { type Answer, ask, type Question } from "../cloud/http.ts";
import { isUnreachable } from "../cloud/not-seen.ts";
import { secondsSince } from "../elapsed.ts";
import { ofEntry } from "./context.ts";
import { differenceOf } from "./expectation.ts";
import type { Evidence, Gate, Observation } from "./gate.ts";
import { byHeader, type Identity } from "./identity.ts";
import { Looks } from "./looks.ts";
import { fewest, type Judgement, judge, type Share } from "./proportions.ts";
import type { Place } from "./smoke.ts";

/** Somebody to ask. */
export interface Door extends Place {
  /** Both generations answer there: an answer counts only for the one that it names. Default: false. */
  readonly shared?: boolean;
}

/** Places of one kind, by the generation that answers there. */
export interface Doors {
  readonly next: readonly Door[];
  readonly old: readonly Door[];
}

/** Everything that can be asked of two generations. */
export interface Probed {
  readonly next: string;
  readonly old: string;
  /** Undefined for the first. */
  readonly entry?: string | undefined;
  /** Asked directly, as long as they can be reached from here. */
  readonly servers: Doors;
  /** The servers of arrays, which come and go: asked like the others. Default: none. */
  readonly arrays?: (signal: AbortSignal) => Promise<Doors>;
  /** Asked instead. */
  readonly balancer: Doors;
  readonly addresses: Doors;
  /** Whether users come by a way on which nothing else compares. */
  readonly uncounted: boolean;
  /** How answers say who gave them. Default: by the header `x-generation`. */
  readonly identity?: Identity;
  /** Safe to ask again and again. */
  readonly checks: readonly HttpCheck[];
}

export type ProbeRules = ProbeConfig & Pick<ComparisonConfig, "slow" | "confidence" | "minRequests">;

/** An answer, and how long it took. */
export type Timed = Answer & { readonly seconds: number };

type Side = "next" | "old";

interface Sample {
  readonly path: string;
  readonly failed: boolean;
  readonly seconds: number;
}

/** Answers of each side through doors of one kind. */
type Samples = Readonly<Record<Side, Sample[]>>;

const atOnce = 4;

/**
 * The driver's own requests, to both generations alike and at a bounded rate: the new one fails no more of them, nor is it
 * slower, than the old one. They reach what no metric of a load balancer counts, the Elastic IPs, and do not wait for users.
 * After a pass they begin anew, as long as the gate is watched. Judged as `Comparison` does: see proportions.ts.
 */
export class Probes implements Gate {
  readonly name: string;
  readonly patienceSeconds: number;
  readonly whenOver = "inconclusive";
  readonly everySeconds = 1;
  readonly #probed: Probed;
  readonly #rules: ProbeRules;
  readonly #ask: typeof askTimed;
  #throughBalancer = false;
  #rounds = 0;
  #direct: Samples = { next: [], old: [] };
  #addresses: Samples = { next: [], old: [] };
  readonly #looks: Looks;
  #passed: Evidence | undefined;

  constructor(probed: Probed, rules: ProbeRules, ask = askTimed) {
    this.name = `probes no worse than of ${probed.old}: ${ofEntry(probed.next, probed.entry)}`;
    this.patienceSeconds = rules.patienceSeconds;
    this.#probed = probed;
    this.#rules = rules;
    this.#looks = new Looks(rules.minRequests);
    this.#ask = ask;
  }

  async observe(signal: AbortSignal): Promise<Observation> {
    const before = this.#direct.next.length + this.#direct.old.length;
    // Without them the others are compared all the same.
    const arrays = await this.#probed.arrays?.(signal).catch(() => undefined);
    await pLimit(atOnce).map(this.#questions(arrays), async ({ check, place, side, into }) => {
      const sample = await this.#sample(check, place, side, signal);
      if (sample !== undefined) into[side].push(sample);
    });
    signal.throwIfAborted();
    const isMute = this.#direct.next.length + this.#direct.old.length === before;
    // Private addresses, from outside the VPC.
    if (!this.#throughBalancer && (isMute || this.#direct.next.length === 0)) {
      this.#throughBalancer = true;
      this.#direct = { next: [], old: [] };
      return this.observe(signal);
    }
    return this.#judged();
  }

  /** Those of one look, the sides by turns: what slows the driver's own machine for a moment slows the answers of both. */
  #questions(arrays: Doors = { next: [], old: [] }) {
    const { addresses, balancer, checks, servers: frontends } = this.#probed;
    const servers = { next: [...frontends.next, ...arrays.next], old: [...frontends.old, ...arrays.old] };
    const first = this.#rounds++ * this.#rules.perSecond;
    const kinds = [
      { doors: this.#throughBalancer ? balancer : servers, into: this.#direct },
      { doors: addresses, into: this.#addresses },
    ].flatMap(({ doors, into }) => (["next", "old"] as const).map((side) => ({ places: doors[side], side, into })));
    return Array.from({ length: this.#rules.perSecond }, (_, index) => first + index).flatMap((turn) =>
      kinds.flatMap(({ places, side, into }) => {
        // Every check at every place, before one is asked again.
        const check = checks[turn % checks.length];
        const place = places[Math.floor(turn / checks.length) % places.length];
        return check && place ? [{ check, place, side, into }] : [];
      }),
    );
  }

  /** Undefined when nobody of that side could answer. */
  async #sample(check: HttpCheck, place: Door, side: Side, signal: AbortSignal): Promise<Sample | undefined> {
    const { path, method, timeoutSeconds, tls } = check;
    const question = { ...place.question, path, method, headers: headersOf(check), timeoutSeconds, tls };
    try {
      const answer = await this.#ask(question, signal);
      const { identity = byHeader } = this.#probed;
      const from = identity.of(answer)?.generation;
      if (from === undefined ? place.shared : from !== this.#probed[side]) return undefined;
      return { path, failed: differenceOf(check, answer, (text) => text) !== undefined, seconds: answer.seconds };
    } catch (error) {
      if (signal.aborted || isUnreachable(error) || place.shared) return undefined;
      return { path, failed: true, seconds: 0 };
    }
  }

  #judged(): Observation {
    const { next, old } = this.#probed;
    const { tolerance, confidence, slow } = this.#rules;
    const ours = this.#direct.next.length + this.#addresses.next.length;
    if (ours === 0) {
      const notJudged = `nothing of ${next} could be asked from here`;
      if (!this.#probed.uncounted) return { verdict: "pass", evidence: { notJudged } };
      return { verdict: "pending", unproven: true, evidence: { notJudged } };
    }
    this.#looks.begin(ours);
    const test = (ourShare: Share, theirs: Share, allowed: number): Judgement =>
      judge(ourShare, theirs, { tolerance: allowed, confidence, look: this.#looks.next() });
    const usual = this.#direct.old.length > 0 ? this.#direct.old : this.#addresses.old;
    // Without an answer of the old one there is nothing to be worse than: too many failures are told, and prove nothing.
    const known = usual.length > 0;
    const errors = (samples: readonly Sample[], of: readonly Sample[]) =>
      test(failures(samples), known ? failures(of) : { count: 0, of: samples.length }, tolerance);
    const paths = [...new Set(this.#direct.next.map(({ path }) => path))];
    const on = (path: string, samples: readonly Sample[]) => samples.filter((sample) => sample.path === path);
    const threshold = thresholds(usual, slow);
    const whole: Judgement[] = [];
    if (this.#direct.next.length > 0) {
      whole.push(errors(this.#direct.next, usual));
      if (threshold.size > 0)
        whole.push(test(slowOnes(this.#direct.next, threshold), slowOnes(usual, threshold), slow.tolerance));
    }
    if (this.#addresses.next.length > 0) whole.push(errors(this.#addresses.next, usual));
    // One path in many is not drowned by the others.
    const each = paths.length > 1 ? paths.map((path) => errors(on(path, this.#direct.next), on(path, usual))) : [];
    const evidence = {
      [next]: summary(this.#direct.next, this.#addresses.next, threshold),
      [old]: known ? summary(this.#direct.old, this.#addresses.old, threshold) : "does not answer",
      ...(this.#throughBalancer && { through: "the load balancer, since servers cannot be reached from here" }),
    };
    if ([...whole, ...each].includes("worse"))
      return known ? { verdict: "fail", evidence } : { verdict: "pending", unproven: true, evidence };
    if (whole.length > 0 && whole.every((judgement) => judgement === "no worse")) {
      this.#passed = evidence;
      [this.#direct, this.#addresses] = [
        { next: [], old: [] },
        { next: [], old: [] },
      ];
      this.#looks.startOver();
    }
    if (this.#passed !== undefined) return { verdict: "pass", evidence: this.#passed };
    const needed = Math.max(fewest({ tolerance, confidence }), fewest({ ...slow, confidence }));
    return { verdict: "pending", unproven: true, evidence: { ...evidence, needed } };
  }
}

async function askTimed(question: Question, signal: AbortSignal): Promise<Timed> {
  const started = performance.now();
  const answer = await ask(question, signal);
  return { ...answer, seconds: secondsSince(started) };
}

function failures(samples: readonly Sample[]): Share {
  return { count: samples.filter(({ failed }) => failed).length, of: samples.length };
}

/** The longest time that an answer may take without being slow, by path; none where nothing is answered. */
function thresholds(
  samples: readonly Sample[],
  { percentile, percent, milliseconds }: ProbeRules["slow"],
): ReadonlyMap<string, number> {
  const answered = samples.filter(({ failed }) => !failed);
  return new Map(
    Object.entries(Object.groupBy(answered, ({ path }) => path)).map(([path, of = []]) => {
      const times = of.map(({ seconds }) => seconds).sort((a, b) => a - b);
      const usual = times[Math.min(times.length - 1, Math.floor((times.length * percentile) / 100))] ?? 0;
      return [path, Math.max(usual * (1 + percent / 100), usual + milliseconds / 1000)];
    }),
  );
}

function slowOnes(samples: readonly Sample[], threshold: ReadonlyMap<string, number>): Share {
  const compared = samples.filter(({ path }) => threshold.has(path));
  const slow = compared.filter(({ path, seconds }) => seconds > (threshold.get(path) ?? 0));
  return { count: slow.length, of: compared.length };
}

function summary(
  direct: readonly Sample[],
  addresses: readonly Sample[],
  threshold: ReadonlyMap<string, number>,
): Evidence {
  return {
    asked: direct.length,
    failed: failures(direct).count,
    slow: slowOnes(direct, threshold).count,
    ...(addresses.length > 0 && { throughAddresses: { asked: addresses.length, failed: failures(addresses).count } }),
  };
}
