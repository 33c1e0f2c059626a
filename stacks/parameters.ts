import { type Config, ConfigError, type GenerationConfig } from "./config.ts";
import type { Definitions } from "./outputs.ts";

/** A parameter of Systems Manager that is an input. */
export interface Parameter {
  readonly value: string;
  /** A SecureString. */
  readonly secret: boolean;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** Reads the parameters right under a path, by the last part of their name. */
export type ReadParameters = (path: string) => Promise<Parameters>;

export interface Resolved {
  /** The inputs of the named generations have their parameters, below what the configuration states. */
  readonly config: Config;
  /** Each named generation's. */
  readonly parameters: Readonly<Record<string, Parameters>>;
}

/**
 * Takes the parameters under `site.inputsFrom` and a generation's `inputsFrom` as inputs; the latter win. A generation
 * keeps those that it was launched with: what changes in Systems Manager is for the next one.
 * @param names generations that are in use, or are to be
 * @throws ConfigError when there is nothing under a path, or a name is no variable's
 */
export async function withParameters(
  config: Config,
  names: readonly string[],
  launched: Definitions | undefined,
  read: ReadParameters,
): Promise<Resolved> {
  const entries = names
    .flatMap((name) => config.generations[name] ?? [])
    .map(async (generation) => {
      const before = launched?.[generation.name];
      return [
        generation.name,
        before === undefined ? await current(config, generation, read) : (before.parameters ?? {}),
      ];
    });
  const parameters: Record<string, Parameters> = Object.fromEntries(await Promise.all(entries));
  const generations = Object.fromEntries(
    Object.entries(config.generations).map(([name, generation]) => {
      const given = Object.entries(parameters[name] ?? {}).map(([key, { value }]) => [key, value]);
      return [name, { ...generation, inputs: { ...Object.fromEntries(given), ...generation.inputs } }];
    }),
  );
  return { config: { ...config, generations }, parameters };
}

async function current({ site }: Config, generation: GenerationConfig, read: ReadParameters): Promise<Parameters> {
  const sources = [
    { key: "handover:site.inputsFrom", path: site.inputsFrom },
    { key: `handover:generations.${generation.name}.inputsFrom`, path: generation.inputsFrom },
  ];
  const found = sources.map(async ({ key, path }) => {
    if (path === undefined) return {};
    const parameters = await read(path).catch((error: Error) => {
      throw new ConfigError([`${key}: the parameters under ${path} cannot be read: ${error.message}`]);
    });
    const names = Object.keys(parameters);
    if (names.length === 0) {
      const example = `aws ssm put-parameter --name ${path}/APP_REVISION --type String --value 42`;
      throw new ConfigError([`${key}: there is no parameter under ${path}; add one, for example: ${example}`]);
    }
    const wrong = names.filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
    if (wrong.length > 0) {
      throw new ConfigError([
        `${key}: ${wrong.map((name) => `${path}/${name}`).join(", ")}: an input's name is that of an environment variable; rename the parameter`,
      ]);
    }
    return parameters;
  });
  return Object.assign({}, ...(await Promise.all(found)));
}
