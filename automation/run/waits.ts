import { secondsSince } from "../elapsed.ts";
import type { Waiting } from "../gates/gate.ts";

/** A wait as it is told. */
export interface Told extends Waiting {
  /** How long it has taken. */
  readonly seconds: number;
}

/** A wait is told when it has taken so long, in seconds: the first time, and the longest until the next. */
const first = 5;
const longest = 60;

/** Tells what a run waits for, ever more rarely, so that nobody takes it for dead and no log is full of it. */
export class Waits {
  readonly #tell: (waiting: Told) => void;
  readonly #begun = performance.now();
  readonly #waiting = new Map<string, Waiting & { readonly at: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (waiting: Told) => void) {
    this.#tell = tell;
    this.#next(first);
  }

  heard(waiting: Waiting): void {
    this.#waiting.set(waiting.gate, { ...waiting, at: performance.now() });
  }

  settled(gate: string): void {
    this.#waiting.delete(gate);
  }

  /** From here on all gates are watched for a time. */
  watch(seconds: number): void {
    this.heard({ gate: "watching", evidence: null, leftSeconds: seconds });
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #next(seconds: number): void {
    this.#timer = setTimeout(() => {
      // The one that may take longest.
      const [waiting] = [...this.#waiting.values()].sort((a, b) => b.leftSeconds - a.leftSeconds);
      if (waiting !== undefined) this.#say(waiting);
      this.#next(Math.min(2 * seconds, longest));
    }, seconds * 1000);
  }

  #say({ at, leftSeconds, ...waiting }: Waiting & { readonly at: number }): void {
    const left = Math.max(0, leftSeconds - secondsSince(at));
    this.#tell({ ...waiting, seconds: secondsSince(this.#begun), leftSeconds: left });
  }
}
