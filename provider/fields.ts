import type { Value } from "./values.ts";

/** An input, in the terms of the official plugin's schema. */
export interface FieldOptions {
  readonly required?: boolean;
  /** A change replaces the resource. */
  readonly replace?: boolean;
  /** AWS's behaviour when the input is absent. */
  readonly default?: Value;
  /** Absent means no opinion: AWS chooses, and whatever it chose is right. */
  readonly computed?: boolean;
  /** An explicit empty list counts as set, even for a `computed` input. */
  readonly mayBeEmptied?: boolean;
  /** The cloud does not report it. */
  readonly writeOnly?: boolean;
  /** Tells whether two values mean the same. */
  readonly same?: (old: Value, now: Value) => boolean;
}

export type Field = FieldOptions &
  (
    | { readonly type: "string" | "number" | "boolean" }
    | { readonly type: "map" }
    /** `ordered`: the order of the elements matters. */
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
