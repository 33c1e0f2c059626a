import { canonicalJson, sha256 } from "./canonical.ts";
import type { Json, LedgerEvent } from "./events.ts";

/**
 * The most bytes that an event may have. DynamoDB's limit for an item is 400 KB with its attribute names
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html); the rest is for the envelope.
 */
const maxEventBytes = 350_000;

/** The remainder of a value that is too large. */
export type Truncated = {
  truncated: true;
  /** The value's size, as canonical JSON in UTF-8. */
  bytes: number;
  /** SHA-256 of that JSON, to compare it with a copy that was kept elsewhere. */
  sha256: string;
  /** The beginning of that JSON. */
  head: string;
};

/**
 * The event, made small enough to be stored: evidence, goal and inputs that are too large become a `Truncated`, and
 * a list of operations is cut, with the count of what was left out. An event is never lost for its size.
 */
export function fitEvent(event: LedgerEvent, maxBytes = maxEventBytes): LedgerEvent {
  if (size(event) <= maxBytes) return event;
  switch (event.type) {
    case "gate":
      return { ...event, evidence: truncate(event.evidence, maxBytes / 2) };
    case "run-started": {
      const { before, after } = event.inputs;
      const share = maxBytes / 8;
      return {
        ...event,
        goal: truncate(event.goal, share),
        inputs: { before: truncate(before, share), after: truncate(after, share) },
      };
    }
    case "plan":
    case "applied": {
      const kept = [];
      let room = maxBytes - size({ ...event, operations: [], omitted: event.operations.length });
      for (const operation of event.operations) {
        room -= size(operation) + 1;
        if (room < 0) break;
        kept.push(operation);
      }
      return { ...event, operations: kept, omitted: event.operations.length - kept.length };
    }
    case "rollback-started":
      return { ...event, reason: `${event.reason.slice(0, maxBytes / 8)} (cut, it was longer)` };
    default:
      return event;
  }
}

/** @param headBytes A value that is smaller stays as it is; of a larger one this much is kept. */
function truncate(value: Json, headBytes: number): Json {
  const text = canonicalJson(value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= headBytes) return value;
  // Quoting JSON inside JSON at most doubles it where it is ASCII, and the head is cut to a half for that.
  const head = Buffer.from(text)
    .subarray(0, Math.floor(headBytes / 2))
    .toString()
    .replace(/\uFFFD$/, "");
  return { truncated: true, bytes, sha256: sha256(text), head } satisfies Truncated;
}

function size(value: unknown): number {
  return Buffer.byteLength(canonicalJson(value));
}
