import { type NotSeen, notSeenIn, remedies } from "../cloud/not-seen.ts";
import { type Explanation, HandoverError, messageOf } from "../errors.ts";
import { LedgerError } from "../ledger/errors.ts";

/** What happened and what to do, where an error only says that something could not be seen; undefined for any other. */
export function explainNotSeen(error: unknown): Pick<Explanation, "happened" | "first"> | undefined {
  const notSeen = notSeenIn(error);
  if (notSeen === undefined) return undefined;
  if (error instanceof HandoverError) {
    const { happened, first = remedies[notSeen] } = error.explanation;
    return { happened, first };
  }
  return { happened: `${failed[notSeen]}: ${wordsOf(error)}`, first: remedies[notSeen] };
}

const failed: Readonly<Record<NotSeen, string>> = {
  unreachable: "AWS cannot be reached",
  credentials: "AWS did not take the credentials",
  denied: "A policy denies what Handover does",
  throttled: "AWS takes no more requests for now",
  unavailable: "AWS does not work for now",
};

/** The error at the bottom, with AWS's name of it: the ledger's own message tells to type something. */
function wordsOf(error: unknown): string {
  if (error instanceof LedgerError && error.cause !== undefined) return wordsOf(error.cause);
  const name = error instanceof Error && error.name !== "Error" ? `${error.name}: ` : "";
  return `${name}${messageOf(error).split("\n")[0]}`;
}
