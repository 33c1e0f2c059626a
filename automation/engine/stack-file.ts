import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isScalar, parseDocument, Scalar, visit } from "yaml";
import { problemsOfAwsKeys } from "../../stacks/config/aws-keys.ts";
import { withEscapes } from "../../stacks/config/engine-yaml.ts";
import { readStackYaml } from "../../stacks/config/stack-yaml.ts";
import { ConfigError, configValue, resolvePath } from "../../stacks/config.ts";
import { packagePath, projectDirectory } from "../../stacks/project.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { isRecord, sha256 } from "../ledger/canonical.ts";
import { didYouMean } from "../suggest.ts";

/** `Pulumi.<stack>.yaml`, as it is in the project's folder. Handover reads it and never writes it. */
export interface StackFile {
  readonly stack: string;
  readonly text: string;
  /** Everything under `config`, by its full key. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it holds values that only the engine can decrypt. */
  readonly hasSecrets: boolean;
  /** Secrets provider of a new stack, for example `awskms://alias/site?awssdk=v2`. Undefined: the backend's default. */
  readonly secretsProvider: string | undefined;
}

/** A state's encryption: by a passphrase, which has a salt, or by a data key that a key service encrypts. */
export interface Encryption {
  readonly salt?: string;
  readonly url?: string;
  readonly encryptedkey?: string;
}

const prefix = "handover:";

/**
 * @throws HandoverError (exit 1) when there is no such file, ConfigError when it is not YAML, or when the engine would
 * read a value in it otherwise
 */
export function readStackFile(directory: string, stack: string): StackFile {
  const name = `Pulumi.${stack}.yaml`;
  const text = readText(directory, stack, name);
  const { content, problems } = readStackYaml(text);
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${name}: ${problem}`));
  const { config, secretsprovider } = isRecord(content) ? content : {};
  if (!isRecord(config))
    throw new ConfigError([`${name}: has no \`config:\`; ${packagePath("Pulumi.staging.yaml")} is a complete example`]);
  const refused = problemsOfAwsKeys(config);
  if (refused.length > 0) throw new ConfigError(refused);
  return {
    stack,
    text,
    config,
    hasSecrets: /^\s*(-\s*)?["']?secure["']?\s*:/m.test(text),
    secretsProvider: typeof secretsprovider === "string" ? secretsprovider : undefined,
  };
}

/** The values of the `handover:*` keys, without the prefix. */
export function handoverValues(config: StackFile["config"]): Record<string, unknown> {
  return valuesUnder(prefix, config);
}

/** The values of the `aws:*` keys, without the prefix: what the plugin is told. */
export function pluginSettings(config: StackFile["config"]): Record<string, unknown> {
  return valuesUnder("aws:", config);
}

function valuesUnder(prefix: string, config: StackFile["config"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) =>
      key.startsWith(prefix)
        ? [[key.slice(prefix.length), typeof value === "string" ? configValue(value) : value]]
        : [],
    ),
  );
}

/**
 * The declaration of a stack's servers and their surroundings: values as the file has them, so secrets as they are
 * encrypted there, and digests of the user data files.
 * @param directory where those are looked up
 */
export function declarationOf({ config }: StackFile, directory: string): unknown {
  const { site, generations } = handoverValues(config);
  const files = Object.values(isRecord(generations) ? generations : {}).flatMap((generation) =>
    isRecord(generation) && typeof generation.userDataFile === "string" ? [generation.userDataFile] : [],
  );
  const digests = files.map((file) => [file, sha256(readFileSync(resolvePath(directory, file), "utf8"))]);
  return { site, generations, userData: Object.fromEntries(digests) };
}

/**
 * The file's text with keys of the driver's own added: what an update of the driver runs with.
 * @param encryption the state's, for a file that does not say how it is encrypted: else the engine would encrypt it anew
 */
export function mergeKeys(
  text: string,
  keys: Readonly<Record<string, unknown>>,
  { salt, url, encryptedkey }: Encryption = {},
): string {
  const document = parseDocument(text);
  const takeOver = (key: string, value?: string) => {
    if (value !== undefined && !document.has(key)) document.set(key, value);
  };
  takeOver("encryptionsalt", salt);
  if (url !== undefined && document.get("secretsprovider") === url) takeOver("encryptedkey", encryptedkey);
  for (const key of ["phase", "step", "run"]) document.deleteIn(["config", `${prefix}${key}`]);
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) document.setIn(["config", `${prefix}${key}`], value);
  }
  // Written as `key:,` it would be another key for the engine.
  visit(document, {
    Pair: (_, pair) => {
      if (pair.value === null) pair.value = new Scalar(null);
      if (isScalar(pair.value) && pair.value.source === "" && pair.value.value === null) pair.value.source = "null";
    },
  });
  return withEscapes(document.toString());
}

function readText(directory: string, stack: string, name: string): string {
  const bytes = readBytes(directory, stack, name);
  if (!isUtf8(bytes)) throw new ConfigError([`${name}: is no text in UTF-8, which the engine reads alone; save it so`]);
  return bytes.toString();
}

function readBytes(directory: string, stack: string, name: string): Buffer {
  try {
    return readFileSync(join(directory, name));
  } catch (cause) {
    const known = knownStacks(directory);
    throw new HandoverError(
      "unknown-stack",
      exitCodes.usage,
      `There is no stack "${stack}"${didYouMean(stack, known) || ":"} ${name} is not in the project's folder. Nothing was changed. Known stacks: ${known.join(", ") || "none"}.`,
      { cause },
    );
  }
}

/** The stack that a sandbox is like where none is named: `staging`, or the first that is no sandbox's. */
export function stackToRehearse(): string {
  const own = knownStacks().filter((stack) => !/^(sandbox|rehearsal)/.test(stack));
  return own.includes("staging") ? "staging" : (own.sort()[0] ?? "staging");
}

/** Stacks that have a file in the project's folder. */
export function knownStacks(directory = projectDirectory): string[] {
  return readdirSync(directory).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
}
