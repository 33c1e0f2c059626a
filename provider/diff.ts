import type { Field, Fields } from "./fields.ts";
import { canonical, hasUnknown, isEmpty, isObject, type Properties, type Value } from "./values.ts";

export interface Difference {
  /** Path of the input, for example `tags["handover:run"]`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replace: boolean;
}

/** What an update from the old inputs to the new ones changes. */
export function diffInputs(
  olds: Properties,
  news: Properties,
  fields: Fields,
  path = "",
  replace = false,
): Difference[] {
  return Object.entries(fields).flatMap(([key, field]) =>
    field === undefined ? [] : diffField(olds[key], news[key], field, path === "" ? key : `${path}.${key}`, replace),
  );
}

export function diffField(
  old: Value | undefined,
  now: Value | undefined,
  field: Field,
  path: string,
  parentReplaces = false,
): Difference[] {
  const replace = parentReplaces || field.replace === true;
  const emptied = field.mayBeEmptied === true && Array.isArray(now);
  if (isEmpty(now) && field.computed && !emptied) return [];
  const before = isEmpty(old) ? field.default : (old as Value);
  const after = isEmpty(now) ? field.default : (now as Value);
  if (isEmpty(before) && isEmpty(after)) return [];
  if (field.type === "object" && !hasOnlyUnknown(after)) {
    return diffInputs(asObject(before), asObject(after), field.fields, path, replace);
  }
  if (isEmpty(before)) return [{ path, kind: "add", replace }];
  if (isEmpty(after)) return [{ path, kind: "delete", replace }];
  if (field.type === "map" && isObject(before) && isObject(after)) return diffMap(before, after, path, replace);
  const same = !hasUnknown(after) && isSame(before as Value, after as Value, field);
  return same ? [] : [{ path, kind: "update", replace }];
}

function diffMap(before: Properties, after: Properties, path: string, replace: boolean): Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): Difference[] => {
    const entry = /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
    if (before[key] === undefined) return [{ path: entry, kind: "add", replace }];
    if (after[key] === undefined) return [{ path: entry, kind: "delete", replace }];
    return before[key] === after[key] ? [] : [{ path: entry, kind: "update", replace }];
  });
}

function isSame(before: Value, after: Value, field: Field): boolean {
  if (field.same?.(before, after)) return true;
  if (field.type !== "list" || !Array.isArray(before) || !Array.isArray(after)) {
    return canonical(before) === canonical(after);
  }
  if (before.length !== after.length) return false;
  const equal = (a: Value, b: Value) => diffField(a, b, { ...field.of, computed: false }, "").length === 0;
  if (field.ordered) return before.every((entry, index) => equal(entry, after[index] ?? null));
  const left = [...before];
  return after.every((entry) => {
    const index = left.findIndex((candidate) => equal(candidate, entry));
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

/** The old inputs, and where the program had no opinion what the cloud chose. */
export function withChosen(inputs: Properties, state: Properties, fields: Fields): Properties {
  const result: Properties = { ...inputs };
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined) continue;
    if (field.computed && isEmpty(inputs[key])) result[key] = state[key];
    else if (field.type === "object" && isObject(inputs[key]) && isObject(state[key])) {
      result[key] = withChosen(inputs[key], state[key], field.fields);
    }
  }
  return result;
}

/** A refresh: the old inputs, changed where an update would change the cloud. */
export function refreshInputs(inputs: Properties, state: Properties, fields: Fields): Properties {
  const result: Properties = { ...inputs };
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined || field.writeOnly || diffField(state[key], inputs[key], field, key).length === 0) continue;
    if (field.type === "object" && isObject(inputs[key]) && isObject(state[key])) {
      result[key] = refreshInputs(inputs[key], state[key], field.fields);
    } else if (isEmpty(state[key])) {
      delete result[key];
    } else {
      result[key] = onlyInputs(state[key] as Value, field);
    }
  }
  return result;
}

/** An import: what a program would have to say to get this resource. */
export function importInputs(state: Properties, fields: Fields): Properties {
  const result: Properties = {};
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined || field.writeOnly || isEmpty(state[key])) continue;
    if (!isDefault(state[key], field) || field.required) result[key] = onlyInputs(state[key] as Value, field);
  }
  return result;
}

/** Whether a program gets the same without saying it; what AWS chose is nobody's default. */
function isDefault(value: Value | undefined, field: Field): boolean {
  if (isEmpty(value)) return true;
  if (field.type === "object" && isObject(value)) {
    return Object.entries(field.fields).every(([key, inner]) => inner === undefined || isDefault(value[key], inner));
  }
  return diffField(value, undefined, { ...field, computed: false }, "").length === 0;
}

/** Absent inputs with a default get it, also inside of objects that are there. */
export function fillDefaults(inputs: Properties, fields: Fields): Properties {
  const result: Properties = { ...inputs };
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined) continue;
    if (isEmpty(result[key])) {
      if (field.default !== undefined) result[key] = field.default;
    } else result[key] = fillValue(result[key] as Value, field);
  }
  return result;
}

function fillValue(value: Value, field: Field): Value {
  if (field.type === "object" && isObject(value)) return fillDefaults(value, field.fields);
  if (field.type === "list" && Array.isArray(value)) return value.map((entry) => fillValue(entry, field.of));
  return value;
}

/** A state's value without what can only be read. */
function onlyInputs(value: Value, field: Field): Value {
  if (field.type === "list" && Array.isArray(value)) return value.map((entry) => onlyInputs(entry, field.of));
  if (field.type === "object" && isObject(value)) return importInputs(value, field.fields);
  return value;
}

function hasOnlyUnknown(value: unknown): boolean {
  return typeof value === "string" && hasUnknown(value);
}

function asObject(value: unknown): Properties {
  return isObject(value) ? value : {};
}

/** `tags` for `tags["handover:run"]`. */
export function topLevel(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}
