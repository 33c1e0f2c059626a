import type { Value } from "./values.ts";

/** What the machinery must know about an input, in the terms of the official plugin's schema. */
export interface FieldOptions {
  readonly required?: boolean;
  /** A change replaces the resource. */
  readonly replace?: boolean;
  /** What AWS does when the input is absent. */
  readonly default?: Value;
  /** Absent means no opinion: AWS chooses, and whatever it chose is right. */
  readonly computed?: boolean;
  /** A list that is stated as empty is no absent one, although it is `computed`. */
  readonly mayBeEmptied?: boolean;
  /** The cloud cannot tell it. */
  readonly writeOnly?: boolean;
  /** The values mean the same. */
  readonly same?: (old: Value, now: Value) => boolean;
}

export type Field = FieldOptions &
  (
    | { readonly type: "string" | "number" | "boolean" }
    | { readonly type: "map" }
    /** `ordered`: the order of the elements means something. */
    | { readonly type: "list"; readonly of: Field; readonly ordered: boolean }
    | { readonly type: "object"; readonly fields: Fields }
  );

export type Fields<Args = Record<string, unknown>> = { readonly [K in keyof Args]?: Field };

export const string = (options: FieldOptions = {}): Field => ({ type: "string", ...options });
export const number = (options: FieldOptions = {}): Field => ({ type: "number", ...options });
export const boolean = (options: FieldOptions = {}): Field => ({ type: "boolean", ...options });
export const map = (options: FieldOptions = {}): Field => ({ type: "map", ...options });
export const set = (of: Field, options: FieldOptions = {}): Field => ({ type: "list", of, ordered: false, ...options });
export const list = (of: Field, options: FieldOptions = {}): Field => ({ type: "list", of, ordered: true, ...options });
export const object = <Args>(fields: Fields<Args>, options: FieldOptions = {}): Field => ({
  type: "object",
  fields: fields as Fields,
  ...options,
});
