import { createHmac, randomBytes } from "node:crypto";
import type { Json } from "./events.ts";

/** What stands in the ledger for a secret. */
export type SecretDigest = { digest: string };

/**
 * A key for `digest`. It must not be in the table: with the key, a reader of the table could try all four-digit PINs;
 * a salt that is stored beside the digest would not keep anybody from that. Two ways to have one:
 * - without `secret`: random, for one run, and thrown away. Digests of that run can be compared with each other (was this
 *   input changed?), and nobody can ever guess from them;
 * - from a `secret` of the stack that the table's readers do not have (its passphrase, a secret config value): digests
 *   can be compared between runs, by those who have that secret. It is bound to the stack, so that two stacks with the
 *   same secret have different digests. Give it a long one: a short one can be guessed like any other.
 */
export function digestKey(from?: { readonly secret: string; readonly stack: string }): Uint8Array {
  return from === undefined
    ? randomBytes(32)
    : createHmac("sha256", from.secret).update(`handover ledger ${from.stack}`).digest();
}

/** HMAC-SHA-256 of a secret: equal for equal secrets under one key, and nothing can be learned from it without the key. */
export function digest(secret: string, key: Uint8Array): SecretDigest {
  return { digest: `hmac-sha256:${createHmac("sha256", key).update(secret).digest("hex")}` };
}

/** A shorter secret is looked for as a whole value only: as a part of other text it would be found everywhere. */
const shortestPart = 4;
const mark = "[secret]";

/**
 * A copy of a value in which no secret is left: a string or number that is a secret becomes its digest, and where one
 * occurs inside a longer text or in a key, also in base64 or percent-encoded, `[secret]` stands in its place.
 */
export function redact(value: Json, secrets: ReadonlySet<string>, key: Uint8Array): Json {
  const parts = [...secrets]
    .filter((secret) => secret.length >= shortestPart)
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    ])
    .sort((a, b) => b.length - a.length); // A secret that contains another one goes first.
  const clean = (text: string) => parts.reduce((cleaned, part) => cleaned.replaceAll(part, mark), text);
  const visit = (node: Json): Json => {
    if (node === null || typeof node === "boolean") return node;
    if (typeof node === "number" || typeof node === "string") {
      const text = String(node);
      if (text !== "" && secrets.has(text)) return digest(text, key);
      const cleaned = clean(text);
      return cleaned === text ? node : cleaned;
    }
    if (Array.isArray(node)) return node.map(visit);
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [clean(name), visit(member)]));
  };
  return visit(value);
}
