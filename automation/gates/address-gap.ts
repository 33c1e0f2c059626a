import { type Answer, ask, type Question } from "../cloud/http.ts";
import { isUnreachable } from "../cloud/not-seen.ts";
import type { Gate, Observation } from "./gate.ts";
import { byHeader, type Identity } from "./identity.ts";

/** An Elastic IP, and how to ask it. */
export interface Asked {
  readonly publicIp: string;
  readonly question: Question;
}

export interface GapRules {
  /** Time between two questions to an address, each on a connection of its own. */
  readonly intervalMilliseconds: number;
  /** The longest time without an answer that is no failure. Default: none is. */
  readonly maxGapMilliseconds?: number | undefined;
}

/** What the users of one address met, from the first question on. */
interface Met {
  asked: number;
  answered: number;
  /** Connections that were refused, that were cut, that could not be made from here, and what else was no answer. */
  refused: number;
  reset: number;
  unreachable: number;
  failed: number;
  /** The slowest answer, and the longest time in which none came. */
  longestWaitMilliseconds: number;
  longestGapMilliseconds: number;
  /** When, in milliseconds since 1970. */
  lastAnswer: number;
  /** The first and the last answer of each generation, where answers say whose they are. */
  readonly by: Map<string, { readonly first: number; readonly last: number }>;
}

interface Means {
  readonly ask: (question: Question, signal: AbortSignal) => Promise<Answer>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** More than this many questions in a second are not asked, however many addresses there are. */
const mostPerSecond = 200;
/** Questions to an address that may be open at once. */
const mostOpen = 50;

/**
 * Asks Elastic IPs all the time, from before they move until they are proven, as their users do: nobody has to notice the
 * move. What is in flight at a move may be cut, and is told; a gap is the time in which no answer came.
 */
export class AddressGap implements Gate {
  readonly name = "addresses answer while they move";
  /** Until each has answered once. */
  readonly patienceSeconds = 10;
  readonly #asked: readonly Asked[];
  readonly #rules: GapRules;
  readonly #identity: Identity;
  readonly #means: Means;
  readonly #met = new Map<string, Met>();
  readonly #over = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(asked: readonly Asked[], rules: GapRules, identity: Identity = byHeader, means: Partial<Means> = {}) {
    this.#asked = asked;
    this.#rules = rules;
    this.#identity = identity;
    this.#means = { ask, clock: Date.now, ...means };
  }

  begin(): void {
    const now = this.#means.clock();
    for (const { publicIp } of this.#asked) this.#met.set(publicIp, nothingMet(now));
    const interval = this.#rules.intervalMilliseconds / this.#asked.length;
    this.#timer = setInterval(() => this.#askNext(), Math.max(1000 / mostPerSecond, interval));
  }

  /** Ends the questions; an answer that is on its way does not count any more. */
  end(): void {
    clearInterval(this.#timer);
    this.#over.abort();
  }

  #askNext(): void {
    const next = this.#asked[this.#turn++ % this.#asked.length];
    if (next === undefined || this.#open.size >= mostOpen * this.#asked.length) return;
    const one = this.#one(next).finally(() => this.#open.delete(one));
    this.#open.add(one);
  }

  async #one({ publicIp, question }: Asked): Promise<void> {
    const { ask, clock } = this.#means;
    const begun = clock();
    const met = this.#met.get(publicIp) ?? nothingMet(begun);
    met.asked++;
    try {
      this.#hear(met, await ask(question, this.#over.signal), begun);
    } catch (error) {
      if (this.#over.signal.aborted) met.asked--;
      else miss(met, error);
    }
  }

  #hear(met: Met, answer: Answer, begun: number): void {
    const now = this.#means.clock();
    met.answered++;
    met.longestWaitMilliseconds = Math.max(met.longestWaitMilliseconds, now - begun);
    met.longestGapMilliseconds = Math.max(met.longestGapMilliseconds, now - met.lastAnswer);
    met.lastAnswer = now;
    const generation = this.#identity.of(answer)?.generation;
    if (generation === undefined) return;
    const { first = now } = met.by.get(generation) ?? {};
    met.by.set(generation, { first, last: now });
  }

  async observe(): Promise<Observation> {
    const now = this.#means.clock();
    const all = [...this.#met];
    for (const [, met] of all) met.longestGapMilliseconds = Math.max(met.longestGapMilliseconds, now - met.lastAnswer);
    const evidence = Object.fromEntries(all.map(([publicIp, met]) => [publicIp, told(met)]));
    const silent = all.filter(([, { answered }]) => answered === 0);
    if (silent.length > 0) {
      const isUnreachable = silent.every(([, { asked, unreachable }]) => asked === unreachable);
      return { verdict: "pending", unproven: true, ...(isUnreachable && { notSeen: "unreachable" }), evidence };
    }
    const { maxGapMilliseconds = Number.POSITIVE_INFINITY } = this.#rules;
    const isLong = all.some(([, { longestGapMilliseconds }]) => longestGapMilliseconds > maxGapMilliseconds);
    return { verdict: isLong ? "fail" : "pass", evidence };
  }
}

function nothingMet(lastAnswer: number): Met {
  const counts = { asked: 0, answered: 0, refused: 0, reset: 0, failed: 0, unreachable: 0 };
  return { ...counts, longestWaitMilliseconds: 0, longestGapMilliseconds: 0, lastAnswer, by: new Map() };
}

function miss(met: Met, error: unknown): void {
  const { code } = error as { readonly code?: unknown };
  if (isUnreachable(error)) met.unreachable++;
  else if (code === "ECONNREFUSED") met.refused++;
  else if (code === "ECONNRESET" || code === "UND_ERR_SOCKET" || code === "EPIPE") met.reset++;
  else met.failed++;
}

function told({ by, lastAnswer: _, ...counts }: Met) {
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const answers = [...by].map(([name, { first, last }]) => [name, { first: time(first), last: time(last) }] as const);
  return { ...counts, ...(answers.length > 0 && { answers: Object.fromEntries(answers) }) };
}
