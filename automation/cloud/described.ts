import { isDeepStrictEqual } from "node:util";

/** A comparison of what AWS describes, field by field, with what a new one of its kind will be. */

/**
 * - `own`: each has its own, or its image, type or subnet decides;
 * - `declared`: the configuration that `adopt` writes has it, so the next generation does too;
 * - `told`: another remark or objection is about it;
 * - `usual`: a new one has this value. `undefined`: it has none.
 */
export type Rule = "own" | "declared" | "told" | { readonly usual: unknown };

export type Table = Readonly<Record<string, Rule>>;

export interface Difference {
  readonly path: string;
  readonly value: unknown;
  /** A new one's value; undefined where it has none, or where nobody here knows the field. */
  readonly usual: unknown;
  readonly known: boolean;
}

/** The fields of a description that a table does not call its own or declared, and that are not as usual. */
export function compare(description: object, table: Table): Difference[] {
  return leaves(description).flatMap(([path, value]): Difference[] => {
    const rule = ruleOf(path, table);
    if (rule === undefined) return [{ path, value, usual: undefined, known: false }];
    if (typeof rule === "string" || isDeepStrictEqual(rule.usual, value)) return [];
    return [{ path, value, usual: rule.usual, known: true }];
  });
}

/** The rule of a field, or of one that it is a part of. */
function ruleOf(path: string, table: Table) {
  const parts = path.split(".");
  return parts
    .map((_, index) => table[parts.slice(0, parts.length - index).join(".")])
    .find((rule) => rule !== undefined);
}

/** Paths and values of what a description has, lists as one value. */
function leaves(value: unknown, path = ""): [path: string, value: unknown][] {
  if (value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)) return [];
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Date) return [[path, value]];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, path === "" ? key : `${path}.${key}`));
}
