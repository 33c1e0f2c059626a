import { join } from "node:path";
import { z } from "zod";
import { configJsonSchema } from "../../stacks/config/schema.ts";
import { packageDirectory } from "../../stacks/project.ts";
import { documents, version } from "./documents.ts";

/** The JSON Schemas of `docs/schemas/`: of what `--json` prints, and of `Pulumi.<stack>.yaml` for editors. */
export const schemaDirectory = join(packageDirectory, "docs", "schemas");

/** Each schema's text, by its file's name. */
export function schemaFiles(): Record<string, string> {
  const shapes = Object.entries(documents).map(([name, shape]) => [`${name}.json`, documentSchema(name, shape)]);
  const all = Object.fromEntries([...shapes, ["config.json", stackFileSchema()]]);
  return Object.fromEntries(
    Object.entries(all).map(([file, schema]) => [file, `${JSON.stringify(schema, null, 2)}\n`]),
  );
}

function documentSchema(name: string, shape: z.ZodType) {
  const schema = z.toJSONSchema(shape, {
    // A shape may grow within its version.
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { title: `${name}, version ${version}`, ...schema };
}

/** The stack's file as a whole: Pulumi's own keys, and ours under `config`. */
function stackFileSchema() {
  const { $schema, properties = {}, required = [], $defs } = configJsonSchema();
  const own = Object.entries(properties).filter(([key]) => key !== "run"); // that is the driver's
  return {
    $schema,
    title: "Pulumi.<stack>.yaml of a site",
    type: "object",
    required: ["config"],
    properties: {
      config: {
        type: "object",
        required: required.map((key) => `handover:${key}`),
        properties: {
          "aws:region": { type: "string" },
          ...Object.fromEntries(own.map(([key, schema]) => [`handover:${key}`, schema])),
        },
        patternProperties: { [`^handover:(?!(${own.map(([key]) => key).join("|")})$)`]: false },
      },
    },
    ...($defs !== undefined && { $defs }),
  };
}
