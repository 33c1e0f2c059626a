import { createHash, randomUUID } from "node:crypto";
import { canonicalJson } from "../automation/ledger/canonical.ts";
import { isEmpty, type Properties } from "./values.ts";

/** A resource that the engine's state holds. */
interface Held {
  readonly inputs: string;
  readonly id?: string;
  readonly isReplaced: boolean;
}

/**
 * Client tokens that survive a crash of the engine: the same for the same resource with the same inputs in the same
 * place, so that a creation that is repeated gets what the first one created.
 *
 * A replacement must never get what it replaces, nor what had these inputs before that (it may have been retained):
 * its token knows the id of the resource in the state, which is still there when the creation is repeated. Where the
 * engine does not say the id (a replacement that is forced, with the very same inputs), the token is random.
 */
export class Tokens {
  /** Old inputs by URN. The engine checks a replacement a second time, without old inputs. */
  readonly #held = new Map<string, Held>();

  checked(urn: string, olds: Properties): void {
    const held = this.#held.get(urn);
    if (!isEmpty(olds)) this.#held.set(urn, { inputs: canonicalJson(olds), isReplaced: false });
    else if (held?.isReplaced) this.#held.delete(urn);
    else if (held !== undefined) this.#held.set(urn, { ...held, isReplaced: true });
  }

  compared(urn: string, id: string): void {
    const held = this.#held.get(urn);
    if (held !== undefined) this.#held.set(urn, { ...held, id });
  }

  /** Forgets a resource that was deleted or found to be gone. */
  gone(urn: string): void {
    this.#held.delete(urn);
  }

  isHeld(urn: string): boolean {
    return this.#held.has(urn);
  }

  token(urn: string, inputs: Properties, attempt: number): string {
    const text = canonicalJson(inputs);
    const held = this.#held.get(urn);
    if (held !== undefined && held.id === undefined && held.inputs === text) return randomUUID();
    const parts = [urn, text, attempt, ...(held?.id === undefined ? [] : [held.id])];
    return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 60);
  }
}
