import { isDeepStrictEqual } from "node:util";
import type { HttpCheck } from "../../stacks/config/checks.ts";
import { matches } from "../../stacks/config/matcher.ts";
import type { Answer } from "../cloud/http.ts";
import { valueAt } from "../cloud/json-path.ts";

/** A difference between a check's expectation and an answer. */
export interface Difference {
  readonly expected: number | string;
  readonly answered: number | string;
}

/** Most characters of a body or a JSON value that are shown. */
const shown = 200;

/**
 * Compares an answer with what a check expects; undefined when it does not.
 * @param redact takes secrets out of what is quoted
 */
export function differenceOf(
  check: Pick<HttpCheck, "expectStatus" | "expectBody" | "expectJson" | "matcher">,
  { status, body }: Answer,
  redact: (text: string) => string,
): Difference | undefined {
  const { expectStatus, expectBody, expectJson, matcher } = check;
  const quote = (text: string) => redact(text).slice(0, shown);
  if (matcher !== undefined && !matches(matcher, status)) return { expected: matcher, answered: status };
  if (matcher === undefined && status !== expectStatus) return { expected: expectStatus, answered: status };
  if (expectBody !== undefined && !new RegExp(expectBody, "u").test(body)) {
    return { expected: `a body like ${expectBody}`, answered: quote(body) };
  }
  if (expectJson === undefined) return undefined;
  const found = valueAt(body, expectJson.path);
  if (isDeepStrictEqual(found, expectJson.equals)) return undefined;
  return {
    expected: `${expectJson.path} = ${JSON.stringify(expectJson.equals)}`,
    answered: found === undefined ? `no ${expectJson.path} in ${quote(body)}` : quote(JSON.stringify(found)),
  };
}
