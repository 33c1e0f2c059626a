import { createHash, randomBytes } from "node:crypto";
import type { CheckFailure } from "./check.ts";
import { defaultsKey, isEmpty, type Properties, unknown } from "./values.ts";

export interface Autoname {
  readonly property: string;
  readonly maxLength: number;
}

/** The suffix of a `namePrefix`: 18 digits and 8 hexadecimal digits, as in the official plugin. */
const uniqueLength = 26;

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
  const kept = isAutomatic(olds, property) ? olds[property] : undefined;
  const digits = createHash("sha256")
    .update(seed.length > 0 ? seed : randomBytes(16))
    .digest("hex")
    .slice(0, 7);
  inputs[property] = kept ?? `${resourceName.slice(0, maxLength - 8)}-${digits}`;
  inputs[defaultsKey] = [property];
}

export function isAutomatic(inputs: Properties, property: string): boolean {
  const defaults = inputs[defaultsKey];
  return Array.isArray(defaults) && defaults.includes(property);
}

export function prefixFailures(inputs: Properties, { property, maxLength }: Autoname): CheckFailure[] {
  const key = `${property}Prefix`;
  const prefix = inputs[key];
  if (typeof prefix !== "string" || prefix === unknown) return [];
  const longest = maxLength - uniqueLength;
  return [
    ...(isEmpty(inputs[property]) ? [] : [{ property: key, reason: `${key} and ${property} exclude each other` }]),
    ...(prefix.length <= longest ? [] : [{ property: key, reason: `${key} may have ${longest} characters at most` }]),
  ];
}

/** The inputs with a name where they have a prefix only; the same token gives the same name. */
export function nameByPrefix(inputs: Properties, { property }: Autoname, token: string): Properties {
  const prefix = inputs[`${property}Prefix`];
  if (isEmpty(prefix) || !isEmpty(inputs[property])) return inputs;
  const hash = createHash("sha256").update(token).digest("hex");
  const digits = BigInt(`0x${hash.slice(0, 20)}`)
    .toString()
    .padStart(18, "0")
    .slice(-18);
  return { ...inputs, [property]: `${prefix}${digits}${hash.slice(20, 28)}` };
}

/** The prefix that a name was made with; nothing for another name. */
export function prefixOf(name = ""): string {
  return /^(.+)\d{18}[0-9a-f]{8}$/.exec(name)?.[1] ?? "";
}
