import type { Random } from "../network/random.ts";

/** Spacing of arrivals: random, as with independent users, or even. */
export type Spacing = "poisson" | "fixed";

/**
 * Open-loop arrivals: when each request is due is decided here, whether or not earlier ones were answered. So a site
 * that stalls gets no less load, and its users' waiting is measured.
 */
export class Schedule {
  readonly #gapMilliseconds: number;
  readonly #spacing: Spacing;
  readonly #random: Random;
  #next: number;

  /** @param start when the schedule begins, in milliseconds on the caller's clock. */
  constructor(requestsPerSecond: number, spacing: Spacing, random: Random, start: number) {
    this.#gapMilliseconds = 1000 / requestsPerSecond;
    this.#spacing = spacing;
    this.#random = random;
    this.#next = start + this.#gap();
  }

  /** The arrivals that have become due, oldest first; each is given once. */
  due(now: number): number[] {
    const arrivals: number[] = [];
    while (this.#next <= now) {
      arrivals.push(this.#next);
      this.#next += this.#gap();
    }
    return arrivals;
  }

  #gap(): number {
    return this.#spacing === "fixed" ? this.#gapMilliseconds : -Math.log(1 - this.#random()) * this.#gapMilliseconds;
  }
}
