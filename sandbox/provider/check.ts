import { createHash, randomBytes } from "node:crypto";
import type { Field, Fields } from "./fields.ts";
import { isEmpty, isObject, type Properties, unknown, type Value } from "./values.ts";

export interface CheckFailure {
  /** Path of the input, for example `rootBlockDevice.volumeSize`. */
  readonly property: string;
  readonly reason: string;
}

export interface Autoname {
  readonly property: string;
  readonly maxLength: number;
}

/** The inputs that the machinery chose, not the program. */
export const defaultsKey = "__defaults";

/** The inputs in their types; what is wrong with them goes to `failures`. */
export function checkInputs(inputs: Properties, fields: Fields, failures: CheckFailure[]): Properties {
  return checkObject(inputs, fields, "", failures);
}

function checkObject(value: Properties, fields: Fields, path: string, failures: CheckFailure[]): Properties {
  const checked: Properties = {};
  for (const [key, entry] of Object.entries(value)) {
    if (key === defaultsKey || entry === undefined || entry === null) continue;
    const property = path === "" ? key : `${path}.${key}`;
    const field = fields[key];
    if (field === undefined) {
      failures.push({ property, reason: `${property} is not supported by the sandbox's provider` });
    } else {
      checked[key] = checkValue(entry, field, property, failures);
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    const property = path === "" ? key : `${path}.${key}`;
    if (field?.required && checked[key] === undefined) {
      failures.push({ property, reason: `${property} is required` });
    }
  }
  return checked;
}

function checkValue(value: Value, field: Field, path: string, failures: CheckFailure[]): Value {
  if (value === unknown) return value;
  switch (field.type) {
    case "object":
      if (isObject(value)) return checkObject(value, field.fields, path, failures);
      break;
    case "list":
      if (Array.isArray(value)) {
        return value.map((entry, index) => checkValue(entry, field.of, `${path}[${index}]`, failures));
      }
      break;
    case "map":
      if (isObject(value)) return value;
      break;
    case "string":
      if (typeof value === "string") return value;
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      break;
    case "number":
      if (typeof value === "number") return value;
      if (typeof value === "string" && value !== "" && Number.isFinite(Number(value))) return Number(value);
      break;
    case "boolean":
      if (typeof value === "boolean") return value;
      if (value === "true" || value === "false") return value === "true";
      break;
  }
  failures.push({ property: path, reason: `${path} must be a ${field.type}, not ${JSON.stringify(value)}` });
  return value;
}

/**
 * Names a resource that has no name `NAME-` and seven hexadecimal digits, and keeps the name that it got before.
 * The engine's seed is the same when an update follows its plan.
 */
export function nameAutomatically(
  inputs: Properties,
  olds: Properties,
  { property, maxLength }: Autoname,
  resourceName: string,
  seed: Uint8Array,
): void {
  if (!isEmpty(inputs[property]) || !isEmpty(inputs[`${property}Prefix`])) return;
  const kept = Array.isArray(olds[defaultsKey]) && olds[defaultsKey].includes(property) ? olds[property] : undefined;
  const digits = createHash("sha256")
    .update(seed.length > 0 ? seed : randomBytes(16))
    .digest("hex")
    .slice(0, 7);
  inputs[property] = kept ?? `${resourceName.slice(0, maxLength - 8)}-${digits}`;
  inputs[defaultsKey] = [property];
}
