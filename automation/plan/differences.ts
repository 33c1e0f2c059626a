import { isDeepStrictEqual } from "node:util";
import type { GenerationConfig, Input } from "../../stacks/config.ts";
import { isUndecrypted, redactText, secretMark } from "../ledger/redact.ts";

/** A value that differs between two generations; null where one has none. */
export interface Difference<Value = string> {
  /** For example `instanceType` or `inputs.APP_REVISION`. */
  readonly name: string;
  readonly before: Value | null;
  readonly after: Value | null;
}

type Named<Value> = Readonly<Record<string, Value>>;

/** The values that differ, by name. */
export function differences<Value>(before: Named<Value>, after: Named<Value>): Difference<Value>[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))
    .filter((each) => !isDeepStrictEqual(each.before, each.after));
}

/**
 * Lists how the new generation's declaration differs from the live one's, for a person.
 * @param secrets values that are shown as `[secret]`, whether whole or as a part of others
 */
export function generationDifferences(
  before: GenerationConfig | undefined,
  after: GenerationConfig | undefined,
  secrets: ReadonlySet<string>,
): Difference[] {
  const shown = (value: unknown) => {
    if (value === null) return null;
    return isUndecrypted(value) ? secretMark : redactText(String(value), secrets);
  };
  return differences(declared(before), declared(after)).map((each) => {
    return { name: each.name, before: shown(each.before), after: shown(each.after) };
  });
}

export interface InputDifference extends Difference {
  /** A secret, or a text that has one in it: neither side is shown. */
  readonly secret: boolean;
}

/** Lists how one generation's inputs differ from another's. */
export function inputDifferences(
  before: Named<Input>,
  after: Named<Input>,
  secrets: ReadonlySet<string>,
): InputDifference[] {
  const shown = (input: Input | null) => (typeof input === "string" ? redactText(input, secrets) : input && secretMark);
  return differences(before, after).map((each) => {
    const [old, next] = [shown(each.before), shown(each.after)];
    const secret = old !== each.before || next !== each.after;
    const masked = (text: string | null) => (secret && text !== null ? secretMark : text);
    return { name: each.name, before: masked(old), after: masked(next), secret };
  });
}

function declared(generation: GenerationConfig | undefined): Record<string, unknown> {
  const { name: _, ...rest } = generation ?? {};
  return Object.fromEntries(leaves("", rest));
}

/** The values at the ends of a nested one, by their paths: `rootBlockDevice.volumeSize`, `steps[0].bound`. */
export function leaves(path: string, value: unknown): [path: string, value: unknown][] {
  if (typeof value !== "object" || value === null || isUndecrypted(value)) return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((member, index) => leaves(`${path}[${index}]`, member));
  return Object.entries(value).flatMap(([key, member]) => leaves(path === "" ? key : `${path}.${key}`, member));
}
