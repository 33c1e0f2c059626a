import { Listener, type ListenerOptions } from "./listener.ts";
import type { ListenerState } from "./state.ts";

/** The listeners of an Application Load Balancer on one of its addresses. */
export class LoadBalancer {
  readonly address: string;
  readonly #options: ListenerOptions;
  readonly #listeners = new Map<string, Listener>();

  constructor(address: string, options: ListenerOptions) {
    this.address = address;
    this.#options = options;
  }

  get listeners(): readonly Listener[] {
    return [...this.#listeners.values()];
  }

  /** Gives every listener its rules at once, closes those that are gone, and resolves when the new ones listen. */
  async update(listeners: readonly ListenerState[]): Promise<void> {
    const wanted = new Map(listeners.map((listener) => [listenerKey(listener), listener]));
    for (const [key, listener] of this.#listeners) {
      if (wanted.has(key)) continue;
      listener.close();
      this.#listeners.delete(key);
    }
    for (const [key, { port, rules }] of wanted) {
      const listener = this.#listeners.get(key) ?? new Listener(this.address, port, this.#options);
      this.#listeners.set(key, listener);
      listener.setRules(rules);
    }
    await Promise.all(this.listeners.filter((listener) => !listener.listening).map((listener) => listener.open()));
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
  }
}

function listenerKey({ arn, port }: ListenerState): string {
  return `${arn} ${port}`;
}
