import { isDeepStrictEqual } from "node:util";

/**
 * The cloud's objects as one node knows them. It learns of each change after a delay of its own; changes of one object
 * never overtake each other. Without a delay it learns at once, in the call that tells it.
 */
export class LateView<T> {
  readonly #delayMilliseconds: () => number;
  readonly #onChange: () => void;
  readonly #known = new Map<string, T>();
  /** The newest of each object, whether the node knows it or not. */
  readonly #newest = new Map<string, T | undefined>();
  readonly #dueAt = new Map<string, number>();
  /** Changes of each object that the node has yet to learn, the oldest first: timers may come in any order. */
  readonly #pending = new Map<string, (T | undefined)[]>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(delayMilliseconds: () => number, onChange: () => void) {
    this.#delayMilliseconds = delayMilliseconds;
    this.#onChange = onChange;
  }

  get known(): ReadonlyMap<string, T> {
    return this.#known;
  }

  update(objects: ReadonlyMap<string, T>): void {
    for (const [key, object] of objects) this.#tell(key, object);
    for (const key of this.#newest.keys()) if (!objects.has(key)) this.#tell(key, undefined);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #tell(key: string, object: T | undefined): void {
    if (isDeepStrictEqual(this.#newest.get(key), object)) return;
    this.#newest.set(key, object);
    const now = performance.now();
    // A timer may be late, and nothing overtakes what it has yet to tell.
    const isWaiting = (this.#pending.get(key) ?? []).length > 0;
    const earliest = isWaiting ? Math.max(this.#dueAt.get(key) ?? 0, now + 1) : 0;
    const due = Math.max(now + this.#delayMilliseconds(), earliest);
    this.#dueAt.set(key, due);
    if (due <= now) {
      this.#learn(key, object);
      return;
    }
    const pending = this.#pending.get(key) ?? [];
    this.#pending.set(key, pending);
    pending.push(object);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#learn(key, pending.shift());
      this.#onChange();
    }, due - now);
    this.#timers.add(timer);
  }

  #learn(key: string, object: T | undefined): void {
    if (object === undefined) this.#known.delete(key);
    else this.#known.set(key, object);
  }
}
