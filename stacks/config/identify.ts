import { z } from "zod";
import { jsonPath, path, pattern } from "./primitives.ts";

/** `handover:upgrade.identify`: how an answer says which generation gave it. */

const placeholder = /\$inputs\.([A-Za-z_][A-Za-z0-9_]*)|\$generation\b/g;

/** How an answer says which generation gave it. */
export const identifySchema = z
  .strictObject({
    path: path
      .optional()
      .describe("Page on which every server of the new generation must say it. Default: the health check's path."),
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, "must be the name of a header, for example x-revision")
      .optional()
      .describe("Header that says it."),
    json: jsonPath.optional().describe("Where a JSON body says it, for example build.revision."),
    body: pattern
      .optional()
      .describe("Regular expression whose first group says it, or the whole match where it has no group."),
    equals: z
      .string()
      .refine((text) => inputsIn(text) !== undefined, {
        error:
          "must differ between generations: have $inputs.NAME or $generation in it, for example $inputs.APP_REVISION",
      })
      .describe("What a generation says: `$inputs.NAME` stands for its input, `$generation` for its name."),
  })
  .refine(
    ({ header, json, body }) => [header, json, body].filter((source) => source !== undefined).length === 1,
    "give one of header, json and body",
  );

export type IdentifyConfig = z.infer<typeof identifySchema>;

/** Names of the inputs in it; undefined when nothing in it differs between generations. */
export function inputsIn(equals: string): readonly string[] | undefined {
  const found = [...equals.matchAll(placeholder)];
  return found.length === 0 ? undefined : found.flatMap(([, input]) => input ?? []);
}

/** What a generation says of itself. @throws for a secret input; the driver reads the configuration decrypted */
export function said(
  equals: string,
  { name, inputs }: { readonly name: string; readonly inputs: Readonly<Record<string, unknown>> },
): string {
  return equals.replaceAll(placeholder, (_, input: string | undefined) => {
    const value = input === undefined ? name : inputs[input];
    if (typeof value !== "string") throw new Error(`The secret input ${input} was not decrypted.`);
    return value;
  });
}
