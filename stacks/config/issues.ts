import type { z } from "zod";

/** One problem of a value in the words of its reader, each with its path. */
export function describeIssue(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_union" && issue.message === "Invalid input") {
    // The alternative that the value comes nearest to is the one that was meant, one of its own kind first.
    const [nearest = []] = issue.errors.toSorted(
      (a, b) => Number(isOtherKind(a)) - Number(isOtherKind(b)) || problemsIn(a) - problemsIn(b),
    );
    if (nearest.length > 0)
      return nearest.flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${pathOf([...issue.path, key])}: unknown key; remove it or correct its spelling`);
  }
  if (issue.code === "invalid_key") {
    const [first] = issue.issues;
    return first === undefined
      ? [`${pathOf(issue.path)}: ${issue.message}`]
      : describeIssue({ ...first, path: issue.path });
  }
  if (/^(Too small|Too big|Invalid option)/.test(issue.message))
    return [`${pathOf(issue.path)}: ${describeLimit(issue)}`];
  if (issue.code === "invalid_type") return [`${pathOf(issue.path)}: ${describeType(issue)}`];
  return [`${pathOf(issue.path)}: ${issue.message}`];
}

/** Zod's own words name no thing: "Too small: expected string to have >=1 characters". */
function describeLimit(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code !== "too_small" && issue.code !== "too_big") return issue.message;
  const isSmall = issue.code === "too_small";
  const limit = isSmall ? issue.minimum : issue.maximum;
  const unit = { string: "character", array: "entry" }[issue.origin as string];
  if (unit !== undefined && isSmall && Number(limit) === 1) return "is empty";
  const side = isSmall ? (issue.inclusive ? "at least" : "more than") : issue.inclusive ? "at most" : "less than";
  if (unit === undefined) return `must be ${side} ${limit}`;
  return `must have ${side} ${limit} ${Number(limit) === 1 ? unit : unit === "entry" ? "entries" : `${unit}s`}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys and values",
  record: "a map of keys and values",
};

function describeType({ expected, input }: z.core.$ZodIssueInvalidType): string {
  const wanted = typeNames[expected] ?? expected;
  if (input === undefined) return `is missing; it must be ${wanted}`;
  if (input === null) return `is empty; it must be ${wanted}, or remove the key`;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean"))
    return `is no text without quotes; write "${input}"`;
  if (
    typeof input === "string" &&
    /^(-?\d+(\.\d+)?|true|false)$/.test(input) &&
    /^(number|int|boolean)$/.test(expected)
  )
    return `is the text "${input}", and must be ${wanted}; write it without quotes: ${input}`;
  return `must be ${wanted}`;
}

function problemsIn(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

/** Whether a value is a number where a list is wanted, and the like. */
function isOtherKind(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some(({ code, path }) => code === "invalid_type" && path.length === 0);
}

function pathOf(segments: readonly PropertyKey[]): string {
  const [first, ...rest] = segments;
  const tail = rest.map((segment) => (typeof segment === "number" ? `[${segment}]` : `.${String(segment)}`)).join("");
  return `handover:${String(first ?? "")}${tail}`;
}
