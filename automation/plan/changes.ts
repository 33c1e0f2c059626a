import type { GenerationConfig } from "../../stacks/config.ts";
import { redactText, secretMark } from "../ledger/redact.ts";

/** What the new generation declares otherwise than the live one. */
export interface Change {
  /** For example `instanceType` or `inputs.APP_REVISION`. */
  readonly key: string;
  /** Undefined where it is not given. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** @param secrets values that are shown as `[secret]`, whether whole or as a part of others */
export function changesOf(
  from: GenerationConfig | undefined,
  to: GenerationConfig | undefined,
  secrets: ReadonlySet<string>,
): Change[] {
  const [before, after] = [flat(from), flat(to)];
  const mask = (value: unknown) => (value === undefined ? undefined : masked(value, secrets));
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => text(before[key]) !== text(after[key]))
    .map((key) => ({ key, from: mask(before[key]), to: mask(after[key]) }));
}

function flat(generation: GenerationConfig | undefined): Record<string, unknown> {
  if (generation === undefined) return {};
  const { name: _, inputs, array, ...rest } = generation;
  const under = (prefix: string, values: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(values).map(([key, value]) => [`${prefix}.${key}`, value]);
  return { ...rest, ...Object.fromEntries([...under("array", array), ...under("inputs", inputs)]) };
}

function masked(value: unknown, secrets: ReadonlySet<string>): string {
  // What is no text is a secret that was not decrypted.
  return typeof value === "object" ? secretMark : redactText(String(value), secrets);
}

function text(value: unknown): string | undefined {
  return JSON.stringify(value);
}
