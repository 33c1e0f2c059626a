import { createHash } from "node:crypto";

/**
 * The one text of a JSON value that is hashed: keys in the order of their UTF-16 code units, no white space, members
 * that are `undefined` left out. That is RFC 8785 (https://www.rfc-editor.org/rfc/rfc8785), because `JSON.stringify`
 * already writes numbers and strings as it asks.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isRecord(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}

/** SHA-256 of a text's UTF-8, in hexadecimal. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
