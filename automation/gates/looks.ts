/** Evidence must have grown by this factor before it may refuse again: each look makes the next one stricter. */
const growth = 1.5;

/** Looks at growing evidence: how often it might have refused decides how strict the next test is (proportions.ts). */
export class Looks {
  readonly #fewest: number;
  #tests = 0;
  #atLast = 0;
  #mayRefuse = false;

  /** @param fewest the smallest amount of evidence that may refuse */
  constructor(fewest: number) {
    this.#fewest = fewest;
  }

  /** Begins a look at so much evidence. */
  begin(amount: number): void {
    this.#mayRefuse = amount >= Math.max(this.#fewest, growth * this.#atLast);
    if (this.#mayRefuse) this.#atLast = amount;
  }

  /** The number of the next test; undefined when this look may not refuse. */
  next(): number | undefined {
    return this.#mayRefuse ? ++this.#tests : undefined;
  }

  /** Forgets the evidence, which begins anew, and not how often it was looked at. */
  startOver(): void {
    this.#atLast = 0;
  }
}
