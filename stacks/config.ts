import type { z } from "zod";
import { fileProblems } from "./config/files.ts";
import { describeIssue } from "./config/issues.ts";
import { fileSchema, type generationSchema } from "./config/schema.ts";
import { togetherProblems } from "./config/together.ts";
import type { Config, GenerationConfig } from "./config/types.ts";

/**
 * The configuration of a site: the `handover:*` keys of `Pulumi.<stack>.yaml`, validated once, at the edge. Program and
 * driver read the same schema. It imports no Pulumi.
 */

export { type EntryConfig, entriesOf } from "./config/entry-schema.ts";
export { isExecutable, programsOf, resolvePath } from "./config/files.ts";
export type { Input, SiteConfig } from "./config/schema.ts";
export type { Config, GenerationConfig } from "./config/types.ts";
export type { UpgradeConfig } from "./config/upgrade-schema.ts";

/** The configuration cannot be used. Nothing was created or changed. */
export class ConfigError extends Error {
  readonly code = "invalid-configuration";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Validates the values of the `handover:*` keys.
 * @param values by key without the prefix: `{ site: {...}, generations: {...}, live: "blue" }`
 * @param projectDirectory where `userDataFile` is looked up
 * @throws ConfigError that names every problem with its path, rule and an example
 */
export function parseConfig(values: Record<string, unknown>, projectDirectory: string): Config {
  const parsed = fileSchema.safeParse(values, { reportInput: true });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(describeIssue));
  const file = parsed.data;
  const generations = Object.fromEntries(
    Object.keys(file.generations).map((name) => [name, resolveGeneration(name, file.generations, file.site.tags)]),
  );
  const config: Config = { ...file, generations };
  const problems = [...togetherProblems(config), ...fileProblems(config, projectDirectory)];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** A value as the engine hands it on: maps and lists as JSON, everything else as text. */
export function configValue(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function resolveGeneration(
  name: string,
  all: Readonly<Record<string, z.infer<typeof generationSchema>>>,
  ofSite: Readonly<Record<string, string>> = {},
): GenerationConfig {
  const chain = extendsChain(name, all);
  const inputs = Object.assign({}, ...chain.map((generation) => generation.inputs ?? {}));
  const tags = Object.assign({}, ofSite, ...chain.map((generation) => generation.tags ?? {}));
  const { extends: _, ...merged } = Object.assign({}, ...chain) as z.infer<typeof generationSchema>;
  const { imageId, instanceType, frontends } = merged;
  if (imageId === undefined || instanceType === undefined || frontends === undefined) {
    const missing = Object.entries({ imageId, instanceType, frontends }).flatMap(([key, value]) =>
      value === undefined ? [key] : [],
    );
    throw new ConfigError(
      missing.map(
        (key) =>
          `handover:generations.${name}.${key}: is missing, here and in what it extends; add it, or \`extends\` a generation that has it`,
      ),
    );
  }
  return { ...merged, name, imageId, instanceType, frontends, inputs, tags };
}

/** The generations from the outermost that is extended to `name` itself. */
function extendsChain(name: string, all: Readonly<Record<string, z.infer<typeof generationSchema>>>) {
  const seen: string[] = [];
  const chain: z.infer<typeof generationSchema>[] = [];
  for (let current: string | undefined = name; current !== undefined; ) {
    if (seen.includes(current)) {
      throw new ConfigError([
        `handover:generations.${name}.extends: goes in a circle (${[...seen, current].join(" -> ")}); extend a generation that does not lead back here`,
      ]);
    }
    const generation: z.infer<typeof generationSchema> | undefined = all[current];
    if (generation === undefined) {
      throw new ConfigError([
        `handover:generations.${seen.at(-1)}.extends: there is no generation "${current}"; known: ${Object.keys(all).join(", ")}`,
      ]);
    }
    seen.push(current);
    chain.unshift(generation);
    current = generation.extends;
  }
  return chain;
}
