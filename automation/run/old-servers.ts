import { setTimeout as sleep } from "node:timers/promises";
import { type Gate, type GateResult, hold } from "../gates/gate.ts";

/** Servers that become quiet within this time end together: every update costs a moment. */
const togetherMilliseconds = 1_000;

export interface OldServersOptions {
  /** Default patience of a gate. */
  readonly seconds: number;
  /** Whether a server that was not quiet in time may end all the same. */
  readonly terminate: boolean;
  readonly signal: AbortSignal;
}

/** The old servers of a run while their sessions end, each for itself. */
export class OldServers {
  readonly #options: OldServersOptions;
  readonly #stop = new AbortController();
  readonly #waiting: Map<string, Promise<void>>;
  /** Results of servers that may end now, by name, and of those that were not quiet in time. */
  readonly #ended = new Map<string, GateResult>();
  readonly #overdue = new Map<string, GateResult>();
  readonly #news: GateResult[] = [];
  #error: unknown;

  /** @param gates by the server's name; each is observed from now on */
  constructor(gates: ReadonlyMap<string, Gate>, options: OldServersOptions) {
    this.#options = options;
    this.#waiting = new Map([...gates].map(([name, gate]) => [name, this.#watch(name, gate)]));
  }

  /** Waits until a server may end, or no remaining server can. */
  async someEnded(): Promise<void> {
    while (this.#ended.size === 0 && this.#waiting.size > 0) await Promise.race(this.#waiting.values());
    if (this.#waiting.size > 0) {
      const others = Promise.all(this.#waiting.values());
      await Promise.race([others, sleep(togetherMilliseconds, undefined, { ref: false })]);
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** Results since the last call. */
  news(): readonly GateResult[] {
    return this.#news.splice(0);
  }

  /** Names of those that must stay for now. */
  get left(): readonly string[] {
    return [...this.#waiting.keys(), ...this.#overdue.keys()].sort();
  }

  /** Forgets the servers that could end: they are gone. */
  gone(): void {
    this.#ended.clear();
  }

  /** Names of the servers that hold everything up: no other may end, and none is waited for any more. */
  get stuck(): readonly string[] {
    return this.#ended.size === 0 && this.#waiting.size === 0 ? [...this.#overdue.keys()].sort() : [];
  }

  close(): void {
    this.#stop.abort();
  }

  async #watch(name: string, gate: Gate): Promise<void> {
    const { seconds, terminate } = this.#options;
    try {
      const signal = AbortSignal.any([this.#options.signal, this.#stop.signal]);
      for (const seen of await hold([gate], { seconds, signal })) {
        // Sessions that could not be counted are no sessions that are over their limit.
        const ends = seen.verdict === "pass" || (terminate && seen.notSeen === undefined);
        const result: GateResult =
          ends && seen.verdict !== "pass"
            ? { ...seen, verdict: "pass", evidence: { limitPassed: true, seen: seen.evidence } }
            : seen;
        (ends ? this.#ended : this.#overdue).set(name, result);
        this.#news.push(result);
      }
    } catch (error) {
      this.#error ??= error;
    } finally {
      this.#waiting.delete(name);
    }
  }
}
