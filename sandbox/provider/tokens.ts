import { createHash, randomUUID } from "node:crypto";
import { canonical, isEmpty, type Properties } from "./values.ts";

/**
 * Client tokens that survive a crash of the engine: the same for the same resource with the same inputs, so that a
 * creation that is repeated gets what the first one created. One that replaces a resource by another with the very same
 * inputs must not get the old one: it takes a random token.
 */
export class Tokens {
  /** Inputs in the engine's state, by URN. The engine checks the replacement a second time, then without old inputs. */
  readonly #held = new Map<string, { readonly inputs: string; isReplaced: boolean }>();

  checked(urn: string, olds: Properties): void {
    const held = this.#held.get(urn);
    if (!isEmpty(olds)) this.#held.set(urn, { inputs: canonical(olds), isReplaced: false });
    else if (held?.isReplaced) this.#held.delete(urn);
    else if (held !== undefined) held.isReplaced = true;
  }

  deleted(urn: string): void {
    this.#held.delete(urn);
  }

  isHeld(urn: string): boolean {
    return this.#held.has(urn);
  }

  token(urn: string, inputs: Properties, attempt: number): string {
    const text = canonical(inputs);
    if (this.#held.get(urn)?.inputs === text) return randomUUID();
    return createHash("sha256").update(`${urn}\n${text}\n${attempt}`).digest("hex").slice(0, 60);
  }
}
