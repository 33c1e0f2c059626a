import { type NotSeen, NotSeenError, remedies } from "../cloud/not-seen.ts";
import { type Explanation, exitCodes, HandoverError } from "../errors.ts";
import type { StateResource } from "./deployment.ts";

/** An update was cut short: no evidence against the new generation, and what it had in flight is not known. */
export abstract class CutShortError extends HandoverError {
  /** Creations that were in progress: the engine takes them for failed, and forgets them. */
  readonly forgotten: readonly StateResource[];

  constructor(code: string, explanation: Explanation, cause: unknown, forgotten: readonly StateResource[]) {
    super(code, exitCodes.paused, explanation, { cause });
    this.forgotten = forgotten;
  }
}

/** The engine or the provider ended before its work was done. */
export class EngineDiedError extends CutShortError {
  constructor(problem: string, cause: unknown, forgotten: readonly StateResource[] = []) {
    const happened = `The engine or its provider ended before its work was done. ${problem}`;
    super("engine-died", { happened }, cause, forgotten);
  }
}

/** AWS did not show yet what the update had just made, and the provider took that for its end. */
export class NotYetShownError extends CutShortError {
  constructor(problem: string, cause: unknown, forgotten: readonly StateResource[] = []) {
    const happened = `AWS did not show what the update had just made. ${problem}`;
    super("not-shown", { happened }, cause, forgotten);
  }
}

/** The engine or the provider could not see AWS, or was not let in. */
export class EngineBlindError extends CutShortError {
  constructor(notSeen: NotSeen, problem: string, cause: unknown, forgotten: readonly StateResource[] = []) {
    const happened = `The update was not finished, since AWS could not be asked. ${problem}`;
    const reason = new NotSeenError(notSeen, { happened: problem }, { cause });
    super("not-seen", { happened, first: remedies[notSeen] }, reason, forgotten);
  }
}

/**
 * Whether a plugin's error is about what it had just made, reading it or waiting for it. What is not there when something
 * is made with it, an image or a key, is an answer.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export function isNotYetShown(text: string): boolean {
  const errors = text.match(/\b(reading|waiting for) .*/g) ?? [];
  return errors.some((error) => /couldn't find resource|empty result|\bapi error [\w.]*NotFound/.test(error));
}
