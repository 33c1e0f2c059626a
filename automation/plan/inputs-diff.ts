import type { Input } from "../../stacks/config.ts";
import { redactText, secretMark } from "../ledger/redact.ts";

/** An input that differs between two generations; null where a generation has none. */
export interface InputDifference {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
  /** A secret, or a text that has one in it: neither side is shown. */
  readonly secret: boolean;
}

/** What one generation's inputs change against another's, by name. */
export function inputsDiff(
  before: Readonly<Record<string, Input>>,
  after: Readonly<Record<string, Input>>,
  secrets: ReadonlySet<string>,
): InputDifference[] {
  const isSecret = (input: Input | undefined) =>
    input !== undefined && (typeof input !== "string" || redactText(input, secrets) !== input);
  const shown = (input: Input | undefined, secret: boolean) => {
    if (input === undefined) return null;
    return secret || typeof input !== "string" ? secretMark : input;
  };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    const [old, next] = [before[name], after[name]];
    if (JSON.stringify(old) === JSON.stringify(next)) return [];
    const secret = isSecret(old) || isSecret(next);
    return [{ name, before: shown(old, secret), after: shown(next, secret), secret }];
  });
}
