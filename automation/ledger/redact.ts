import { createHmac, randomBytes } from "node:crypto";
import type { Json } from "./events.ts";
import { spellingsOf } from "./spellings.ts";

/** A secret's stand-in in the ledger. */
export type SecretDigest = { digest: string };

/**
 * A key for `digest`: random, for one run, and thrown away. Digests of that run can be compared with each other (was this
 * input changed?), and nobody can ever guess from them. With the key, a reader of the ledger's table could try all
 * four-digit PINs; a salt that is stored beside the digest would not keep anybody from that.
 */
export function digestKey(): Uint8Array {
  return randomBytes(32);
}

/** HMAC-SHA-256 of a secret: equal for equal secrets under one key, and nothing can be learned from it without the key. */
export function digest(secret: string, key: Uint8Array): SecretDigest {
  return { digest: `hmac-sha256:${createHmac("sha256", key).update(secret).digest("hex")}` };
}

/** Stands in the place of a secret. */
export const secretMark = "[secret]";

/** A shorter secret is looked for as a whole value only: as a part of other text it would be found everywhere. */
const shortestPart = 4;

/**
 * A copy of a value in which no secret is left: a string or number that is a secret becomes its digest, and what
 * `redactText` finds in a longer text or in a key, or a secret that was not decrypted, becomes `[secret]`.
 */
export function redact(value: Json, secrets: ReadonlySet<string>, key: Uint8Array): Json {
  const visit = (node: Json): Json => {
    if (node === null || typeof node === "boolean") return node;
    if (typeof node === "number" || typeof node === "string") {
      const text = String(node);
      if (text !== "" && secrets.has(text)) return digest(text, key);
      const cleaned = redactText(text, secrets);
      return cleaned === text ? node : cleaned;
    }
    if (isUndecrypted(node)) return secretMark;
    if (Array.isArray(node)) return node.map(visit);
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [redactText(name, secrets), visit(member)]));
  };
  return visit(value);
}

/** A text in which `[secret]` stands for every secret, encoded in whichever way programs do. */
export function redactText(text: string, secrets: ReadonlySet<string>): string {
  if (text !== "" && secrets.has(text)) return secretMark;
  const onOneLine = text.replace(/\s|\\[rn]/g, "");
  const found = patternsOf(secrets)
    .filter(({ part }) => text.includes(part) || onOneLine.includes(part))
    .flatMap(({ expression }) => [...text.matchAll(expression())])
    .map(({ index, 1: { length } = "" }) => ({ start: index, end: index + length }))
    .sort((a, b) => a.start - b.start);
  let [cleaned, done] = ["", 0];
  for (const { start, end } of found) {
    // Secrets may overlap: of two that do, nothing is left.
    if (start >= done) cleaned += text.slice(done, start) + secretMark;
    done = Math.max(done, end);
  }
  return cleaned + text.slice(done);
}

/** Whether a value is a secret of the stack's file that was not decrypted: `{ secure: "v1:…" }`. */
export function isUndecrypted(value: unknown): value is { readonly secure: string } {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(value).join() === "secure" && "secure" in value && typeof value.secure === "string";
}

interface Pattern {
  readonly part: string;
  readonly expression: () => RegExp;
}

const patterns = new WeakMap<ReadonlySet<string>, readonly Pattern[]>();

/** Finds the secrets as a part of a text. They are made once for a set: every line that a command prints is looked through. */
function patternsOf(secrets: ReadonlySet<string>): readonly Pattern[] {
  const known = patterns.get(secrets);
  if (known !== undefined) return known;
  const made = [...secrets]
    .filter((secret) => secret.length >= shortestPart)
    .flatMap(spellingsOf)
    // Looked for ahead, so that matches may overlap.
    .map(({ source, part = "" }) => ({ part, expression: once(() => new RegExp(`(?=(${source}))`, "gu")) }));
  patterns.set(secrets, made);
  return made;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
