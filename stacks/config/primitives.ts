import { z } from "zod";

/** Values that several parts of the schema have. */

export const seconds = z.number().int().min(0);
/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (HealthCheckPath) */
export const path = z
  .string()
  .max(1024)
  .regex(/^\//, "must start with a slash, for example /health")
  .regex(/^[!"$-~]*$/, "must be encoded as in a URL, without what follows a #, for example /a%20b");
export const command = z.array(z.string().min(1)).min(1).describe("Program and arguments, run without a shell.");

/** A value in the file is text; Pulumi's `secure:` entries are accepted where the file is read without decrypting it. */
export const inputValue = z.union(
  [z.string(), z.number().transform(String), z.boolean().transform(String), z.strictObject({ secure: z.string() })],
  {
    error: 'must be text, for example "42"',
  },
);

/** A path of parameters in Systems Manager. */
export const parameterPath = z
  .string()
  .regex(/^(\/[A-Za-z0-9_.-]+)+$/, "must be a path of parameters, for example /www/production");

/** A list of ids, each once. */
export function distinct<T extends z.ZodType<string>>(item: T) {
  return z.array(item).refine((ids) => new Set(ids).size === ids.length, "has an id twice; name each once");
}

/** Path of a value in a JSON document: names and list positions with dots between them. */
export const jsonPath = z
  .string()
  .regex(/^[^.\s]+(\.[^.\s]+)*$/, "must be names with dots between them, for example database.ok or pools.0.active");

export const pattern = z.string().refine(isPattern, "must be a regular expression, for example ^ok$");

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
