import type { Field, Fields } from "./fields.ts";
import { defaultsKey, isObject, type Properties, unknown, type Value } from "./values.ts";

export interface CheckFailure {
  /** Path of the input, for example `rootBlockDevice.volumeSize`. */
  readonly property: string;
  readonly reason: string;
}

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
      failures.push({ property, reason: `${property} is not supported by Handover's provider` });
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
