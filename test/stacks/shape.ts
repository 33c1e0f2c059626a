import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Config, ConfigError, parseConfig } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";

/** The `handover:*` values of an example stack, to be changed by a test. */
// biome-ignore lint/suspicious/noExplicitAny: tests write bad input on purpose
export function exampleValues(stack = "staging"): Record<string, any> {
  const document = parse(readFileSync(`${projectDirectory}/Pulumi.${stack}.yaml`, "utf8"));
  return Object.fromEntries(
    Object.entries(document.config).flatMap(([key, value]) =>
      key.startsWith("handover:") ? [[key.slice(9), value]] : [],
    ),
  );
}

export function exampleConfig(change: (values: ReturnType<typeof exampleValues>) => void = () => {}): Config {
  const values = exampleValues();
  change(values);
  return parseConfig(values, projectDirectory);
}

/** What is said against the example stack's values once they are changed. */
export function problemsOf(change: (values: ReturnType<typeof exampleValues>) => void): readonly string[] {
  try {
    exampleConfig(change);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
