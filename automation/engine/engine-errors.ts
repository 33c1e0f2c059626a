import { exitCodes, HandoverError } from "../errors.ts";
import type { StateResource } from "./deployment.ts";

/**
 * The engine or the provider ended before its work was done: no evidence against the new generation, and what an
 * update had in flight is not known until the next one.
 */
export class EngineDiedError extends HandoverError {
  /** Creations that the provider had in progress when it died: the engine takes them for failed, and forgets them. */
  readonly forgotten: readonly StateResource[];

  constructor(problem: string, cause: unknown, forgotten: readonly StateResource[] = []) {
    super("engine-died", exitCodes.paused, `The engine or its provider ended before its work was done. ${problem}`, {
      cause,
    });
    this.forgotten = forgotten;
  }
}
