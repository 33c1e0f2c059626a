import pLimit from "p-limit";
import type { BalancerMetrics } from "../cloud/balancer-metrics.ts";
import { finalUntil, lateSeconds } from "../cloud/cloudwatch.ts";
import { type Answer, ask, type Question } from "../cloud/http.ts";
import { ofEntry } from "./context.ts";
import type { Gate, Observation } from "./gate.ts";
import { byHeader, type Identity } from "./identity.ts";

export interface Weights {
  /** The load balancer by its name, asked for the public host name. */
  readonly question: Omit<Question, "address" | "timeoutSeconds"> & { readonly name: string };
  /** The generation that must get no request any more. */
  readonly without: string;
  /** Undefined for the first. */
  readonly entry?: string | undefined;
  /** The other one did not answer before the run either: an answer that nobody signs is not the generation's. Default: false. */
  readonly otherIsDown?: boolean;
  /** How answers say who gave them. Default: by the header `x-generation`. */
  readonly identity?: Identity;
  /** A server of it, and one of the other generation: asked once whether their answers say who gave them. */
  readonly servers: readonly [without: Server | undefined, other: Server | undefined];
  readonly targetGroupArns: readonly [without: string, other: string];
  /** Share of the requests, in percent, that a node which has not learned the change still gives to it, at least. */
  readonly staleShare: number;
  readonly propagationSeconds: number;
  /**
   * Until then a node may have yet to learn that the generation got requests at all: none from it proves nothing. In
   * milliseconds since 1970. Default: every node has learned that.
   */
  readonly notBefore?: number;
  /** Length of the metrics' periods, in seconds. */
  readonly periodSeconds: number;
}

type Server = Omit<Question, "timeoutSeconds">;

export interface Means {
  readonly metrics: Pick<BalancerMetrics, "requests">;
  readonly addressesOf: (name: string) => Promise<readonly string[]>;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly clock?: () => number;
  readonly ask?: (question: Question, signal: AbortSignal) => Promise<Answer>;
}

/** A node that has not learned the change passes for one that has with this probability. */
const mistaken = 0.001;
/** Questions to a node at each look, and the most that are asked of it in a row. */
const atOnce = 10;
const most = 300;
const inFlight = 64;
/** Periods without a request, one after the other, at least. */
const silentPeriods = 2;

/**
 * Every node of the load balancer has learned that a generation gets no more requests. AWS says when it accepted a change,
 * and not when the nodes follow, which takes from seconds to minutes. The evidence, by what there is:
 * - each address of the load balancer's name answers new connections, as often in a row as a node that has not learned it
 *   would not by chance, and never from that generation;
 * - where answers do not say who gave them, its target group counts no request in two whole periods, or
 *   more, in which the other one counts as many as would not leave out by chance the share of one node that is behind:
 *   metrics that can be asked for are waited for, however late they come;
 * - without either, or with fewer requests, twice `propagationSeconds` have passed. That is waited for blindly, and the evidence says so.
 *
 * On a way back that is soon after the way there, a node may have learned of neither, and answers as one that has of both.
 * So nothing counts before the earlier change is everywhere, and that can only be waited for.
 *
 * An answer of the generation is no failure of the other: not in time, it is inconclusive.
 */
export class WeightsEverywhere implements Gate {
  readonly name: string;
  readonly patienceSeconds: number;
  readonly whenOver = "inconclusive";
  readonly everySeconds = 0.5;
  readonly #weights: Weights;
  readonly #means: Required<Means>;
  readonly #begun: number;
  readonly #needed: number;
  readonly #stale: number;
  /** Answers in a row by node, none of them from the generation. */
  readonly #clean = new Map<string, number>();
  /** Which of the two say who they are; undefined before they were asked. */
  #tell: readonly [without: boolean, other: boolean] | undefined;

  constructor(weights: Weights, means: Means) {
    const { without, entry, staleShare, propagationSeconds, periodSeconds, notBefore = 0 } = weights;
    this.name = `weights everywhere: none on ${ofEntry(without, entry)}`;
    this.#weights = weights;
    this.#means = { clock: Date.now, ask, ...means };
    const now = this.#means.clock();
    this.#begun = Math.max(now, notBefore);
    const countableSeconds = (silentPeriods + 1) * periodSeconds + lateSeconds(periodSeconds);
    this.patienceSeconds = 5 * propagationSeconds + countableSeconds + (this.#begun - now) / 1000;
    this.#stale = Math.min(0.99, Math.max(0.01, staleShare / 100));
    this.#needed = Math.min(most, inARow(this.#stale));
  }

  async observe(signal: AbortSignal): Promise<Observation> {
    const early = Math.ceil((this.#begun - this.#means.clock()) / 1000);
    if (early > 0) return { verdict: "pending", evidence: { waitsForEarlierChangeSeconds: early } };
    this.#tell ??= await this.#whoTells(signal);
    const nodes = await this.#means.addressesOf(this.#weights.question.name);
    const limit = pLimit(inFlight);
    const asked = nodes.flatMap((node) => Array.from({ length: atOnce }, () => node));
    await limit.map(asked, (node) => this.#ask(node, signal));
    signal.throwIfAborted();
    if (!this.#tell.includes(true)) return this.#untold(nodes.length, signal);
    const behind = nodes.filter((node) => (this.#clean.get(node) ?? 0) < this.#needed);
    const evidence = { nodes: nodes.length, answersInARow: this.#needed, behind: behind.slice(0, 10) };
    return { verdict: behind.length === 0 ? "pass" : "pending", evidence };
  }

  async #ask(node: string, signal: AbortSignal): Promise<void> {
    const { question } = this.#weights;
    const { name: _, ...rest } = question;
    const answer = await this.#means.ask({ ...rest, address: node }, signal).catch(() => undefined);
    this.#clean.set(node, this.#isClean(answer) ? (this.#clean.get(node) ?? 0) + 1 : 0);
  }

  /** An answer that says nothing is of the generation that never does; one of the load balancer itself is of neither. */
  #isClean(answer: Answer | undefined): boolean {
    const { without, otherIsDown = false } = this.#weights;
    if (answer === undefined) return false;
    const { generation } = this.#identity.of(answer) ?? {};
    if (generation !== undefined) {
      this.#tell = generation === without ? [true, this.#tell?.[1] ?? false] : [this.#tell?.[0] ?? false, true];
      return generation !== without;
    }
    const [withoutTells, otherTells] = this.#tell ?? [false, false];
    return (answer.status < 500 || otherIsDown) && withoutTells && !otherTells;
  }

  get #identity(): Identity {
    return this.#weights.identity ?? byHeader;
  }

  async #whoTells(signal: AbortSignal): Promise<readonly [boolean, boolean]> {
    const tells = this.#weights.servers.map(async (server) => {
      const answer = server && (await this.#means.ask(server, signal).catch(() => undefined));
      return answer !== undefined && this.#identity.of(answer)?.generation !== undefined;
    });
    const [without = false, other = false] = await Promise.all(tells);
    return [without, other];
  }

  /** Whom an answer is from cannot be told. */
  async #untold(nodes: number, signal: AbortSignal): Promise<Observation> {
    const { propagationSeconds } = this.#weights;
    const counted = await this.#counted(nodes, signal).catch(() => undefined);
    if (counted?.isSilent === false) return { verdict: "pending", evidence: counted.evidence };
    if (counted !== undefined && counted.evidence.requests >= counted.evidence.needed)
      return { verdict: "pass", evidence: counted.evidence };
    const blindSeconds = 2 * propagationSeconds;
    const seconds = Math.floor((this.#means.clock() - this.#begun) / 1000);
    if (seconds >= blindSeconds) {
      const counts = counted === undefined ? "requests cannot be counted" : "too few requests were counted";
      const notJudged = `answers do not say who gave them, and ${counts}; ${seconds} s were waited blindly`;
      return { verdict: "pass", evidence: { ...counted?.evidence, waitedBlindlySeconds: seconds, notJudged } };
    }
    return {
      verdict: "pending",
      evidence: { ...counted?.evidence, waitsBlindlySeconds: blindSeconds, sinceSeconds: seconds },
    };
  }

  /**
   * The newest periods in a row without a request to the generation; undefined when the metrics say nothing.
   * @throws when they cannot be asked for
   */
  async #counted(nodes: number, signal: AbortSignal): Promise<Counted | undefined> {
    const { targetGroupArns, periodSeconds } = this.#weights;
    const period = periodSeconds * 1000;
    const start = Math.ceil(this.#begun / period) * period;
    const span = { start, end: finalUntil(this.#means.clock(), periodSeconds) };
    // Too early it is asked for all the same: whether there is anything to wait for.
    const asked = { start: start - period, end: Math.max(span.end, start) };
    const [without = new Map(), other = new Map()] = await this.#means.metrics.requests(targetGroupArns, asked, signal);
    const needed = inARow(this.#stale / Math.max(1, nodes));
    if (span.end - span.start < silentPeriods * period)
      return { isSilent: false, evidence: { silentPeriods: 0, periodSeconds, requests: 0, needed } };
    const newestFirst = [...new Set([...without.keys(), ...other.keys()])]
      .filter((time) => time >= start)
      .sort((a, b) => b - a);
    if (newestFirst.length === 0) return undefined;
    const lastHeard = newestFirst.findIndex((time) => (without.get(time) ?? 0) > 0);
    const silent = lastHeard === -1 ? newestFirst : newestFirst.slice(0, lastHeard);
    const requests = silent.reduce((sum, time) => sum + (other.get(time) ?? 0), 0);
    const evidence = { silentPeriods: silent.length, periodSeconds, requests, needed };
    return { isSilent: silent.length >= silentPeriods, evidence };
  }
}

interface Counted {
  readonly isSilent: boolean;
  readonly evidence: {
    readonly silentPeriods: number;
    readonly periodSeconds: number;
    /** To the other generation in these periods, and how many of them it takes. */
    readonly requests: number;
    readonly needed: number;
  };
}

/** So many in a row would not all miss a share by chance. */
function inARow(share: number): number {
  return Math.ceil(Math.log(mistaken) / Math.log(1 - share));
}
