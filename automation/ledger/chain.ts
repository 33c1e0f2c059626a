import { canonicalJson, sha256 } from "./canonical.ts";
import { type LedgerRecord, type UnsealedRecord, unsealedRecord } from "./events.ts";

/** The first record's hash of its predecessor. */
export const noHash = "0".repeat(64);

/** The last record's place in the chain. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/** A record, and the text that is stored of it. */
export type Sealed = LedgerRecord & { readonly body: string };

/** Computes a record's hash. */
export function seal(record: UnsealedRecord): Sealed {
  const body = canonicalJson(record);
  return { ...record, hash: sha256(body), body };
}

/** Reads a record from its stored text. @throws {SyntaxError | z.ZodError} if it is not one. */
export function unseal(body: string, hash: string): LedgerRecord {
  return { ...unsealedRecord.parse(JSON.parse(body)), hash };
}

export type Verification =
  | { readonly ok: true; readonly events: number }
  | {
      readonly ok: false;
      readonly problem: "altered" | "missing" | "reordered";
      /** The first event that is wrong. */
      readonly sequence: number;
      readonly message: string;
    };

/**
 * Checks a chain and names the first event that is wrong. `records` are all events, or those of one run.
 *
 * @param bounds.first The number that the first event must have: 1 for the whole ledger. Default: any.
 * @param bounds.head What the last event must be, where it is known from elsewhere (the runs' summaries, a report):
 * without it nobody can tell that the last events were removed.
 *
 * A chain shows edits by whoever does not compute all later hashes anew. Against somebody who may write the whole table,
 * keep the last hash elsewhere (a run's report shows it) and compare.
 */
export function verify(
  records: readonly LedgerRecord[],
  { first, head }: { readonly first?: number; readonly head?: Head } = {},
): Verification {
  const present = new Set(records.map(({ sequence }) => sequence));
  let previous: LedgerRecord | undefined;
  for (const record of records) {
    const { hash, sequence, ...rest } = record;
    if (sha256(canonicalJson({ sequence, ...rest })) !== hash) {
      return broken("altered", sequence, "its content does not match its hash");
    }
    const expected = previous === undefined ? first : previous.sequence + 1;
    if (expected !== undefined && sequence !== expected) {
      return present.has(expected)
        ? broken("reordered", sequence, `it stands where event ${expected} belongs`)
        : broken("missing", expected, `the next one is event ${sequence}`);
    }
    const previousHash = previous?.hash ?? (sequence === 1 ? noHash : record.previous);
    if (record.previous !== previousHash) {
      return broken(
        "altered",
        previous?.sequence ?? sequence,
        `event ${sequence} was written after another version of it`,
      );
    }
    previous = record;
  }
  if (head !== undefined && head.sequence !== (previous?.sequence ?? 0)) {
    return broken("missing", (previous?.sequence ?? 0) + 1, `the events up to ${head.sequence} were recorded`);
  }
  if (head !== undefined && previous !== undefined && head.hash !== previous.hash) {
    return broken("altered", previous.sequence, "another version of it was recorded");
  }
  return { ok: true, events: records.length };
}

export function broken(problem: "altered" | "missing" | "reordered", sequence: number, why: string): Verification {
  return { ok: false, problem, sequence, message: `Event ${sequence} is ${problem}: ${why}.` };
}
