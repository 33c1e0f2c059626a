import { isUtf8 } from "node:buffer";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { z } from "zod";
import type { ArrayConfig } from "./config/array-schema.ts";
import { entriesOf } from "./config/entry-schema.ts";
import { hasWildcard, overlap } from "./config/hosts.ts";
import { inputsIn } from "./config/identify.ts";
import { describeIssue } from "./config/issues.ts";
import { fileSchema, type generationSchema, type Input, type runSchema, type SiteConfig } from "./config/schema.ts";
import { isBurstable, mostTags } from "./config/server-schema.ts";
import type { UpgradeConfig } from "./config/upgrade-schema.ts";

/**
 * The configuration of a site: the `handover:*` keys of `Pulumi.<stack>.yaml`, validated once, at the edge. Program and
 * driver read the same schema. It imports no Pulumi.
 */

export { type EntryConfig, entriesOf } from "./config/entry-schema.ts";
export type { Input, SiteConfig } from "./config/schema.ts";
export type { UpgradeConfig } from "./config/upgrade-schema.ts";

/** A generation with everything that it extends. */
export interface GenerationConfig {
  readonly name: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly frontends: number;
  readonly array?: ArrayConfig;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly inputsFrom?: string;
  readonly userDataFile?: string;
  readonly iamInstanceProfile?: string;
  readonly keyName?: string;
  readonly rootBlockDevice?: {
    readonly volumeSize?: number;
    readonly volumeType?: string;
    readonly iops?: number;
    readonly throughput?: number;
    readonly kmsKeyId?: string;
  };
  /** Of the servers, the site's among them. */
  readonly tags: Readonly<Record<string, string>>;
  readonly metadataHopLimit?: number;
  readonly monitoring?: boolean;
  readonly cpuCredits?: "standard" | "unlimited";
  readonly tenancy?: "default" | "dedicated";
  readonly placementGroup?: string;
}

export interface Config {
  readonly site: SiteConfig;
  readonly generations: Readonly<Record<string, GenerationConfig>>;
  /** The goal: the generation that should serve. */
  readonly live: string;
  readonly upgrade: UpgradeConfig;
  /** Only when stepping: a phase's name and its step, 1 being the first. */
  readonly phase?: string;
  readonly step?: number;
  readonly run?: z.infer<typeof runSchema>;
}

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
  const problems = [
    ...checkLive(config),
    ...checkHosts(config),
    ...checkEntries(config),
    ...checkInputs(config),
    ...checkServers(config),
    ...checkIdentify(config),
    ...checkBackup(config),
    ...checkAddresses(config),
    ...checkFiles(config, projectDirectory),
    ...checkCommands(config, projectDirectory),
  ];
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

function checkLive({ live, generations }: Config): string[] {
  if (generations[live] !== undefined) return [];
  return [
    `handover:live: there is no generation "${live}" in handover:generations; known: ${Object.keys(generations).join(", ") || "none"}`,
  ];
}

/** Whoever asks for a public name must not reach the generation that is tested. */
function checkHosts({ site: { hostname, testHostname } }: Config): string[] {
  const same = testHostname.toLowerCase() === hostname.toLowerCase();
  if (!same && !(hasWildcard(testHostname) && overlap(testHostname, hostname))) return [];
  return [
    `handover:site.testHostname: ${testHostname} ${same ? "is" : "also stands for"} the public name ${hostname}, whose users would reach servers that are still being tested; choose a name of its own, for example test.${hostname.replace(/^[^a-z0-9]*\.?/, "")}`,
  ];
}

/** Listeners that would meet or lead nowhere, and target groups whose names AWS would not take. */
function checkEntries({ site, generations }: Config): string[] {
  const all = entriesOf(site).map((entry) => ({ ...entry, key: keyOf(site, entry.name) }));
  const listeners = all.flatMap(({ key, listener, redirects }) => [
    { key, ...listener, redirectTo: undefined },
    ...redirects.map((redirect) => ({ key, ...redirect })),
  ]);
  const twice = listeners.flatMap(({ key, port }, index) => {
    const other = listeners.slice(0, index).find((each) => each.port === port);
    if (other === undefined) return [];
    return [
      `${key}: port ${port} has a listener already, of ${other.key}; a load balancer has one on a port, so choose another`,
    ];
  });
  const forwarding = all.map(({ listener }) => listener.port);
  const nowhere = listeners.flatMap(({ key, port, redirectTo }) =>
    redirectTo === undefined || forwarding.includes(redirectTo)
      ? []
      : [
          `${key}: port ${port} redirects to ${redirectTo}, which ${redirectTo === port ? "is itself" : "has no listener that reaches the servers"}; those that do: ${forwarding.join(", ")}`,
        ],
  );
  const names = all.flatMap(({ name }) => name ?? []);
  const tooLong = names.flatMap((name) =>
    Object.keys(generations)
      .filter((generation) => generation.length + name.length > longestGroupName)
      .map(
        (generation) =>
          `handover:site.entries.${name}: AWS takes 32 characters for the name of a target group, and that of generation "${generation}" would be longer; shorten one of the two names to ${longestGroupName} characters together`,
      ),
  );
  return [...twice, ...nowhere, ...tooLong, ...checkAdopted(site)];
}

/** Settings of a load balancer that was there before the stack stay as they are in AWS. */
function checkAdopted({ adopted, loadBalancer }: SiteConfig): string[] {
  const keys = ["listeners", "idleTimeoutSeconds", "accessLogs", "internal"] as const;
  if (adopted === undefined) return [];
  return keys
    .filter((key) => loadBalancer[key] !== undefined)
    .map(
      (key) =>
        `handover:site.loadBalancer.${key}: the load balancer was adopted and keeps what it has; remove the key${key === "listeners" ? ", and give port and certificateArn" : ", and change it in AWS"}`,
    );
}

function keyOf({ loadBalancer }: SiteConfig, entry: string | undefined): string {
  if (entry !== undefined) return `handover:site.entries.${entry}.listeners`;
  return `handover:site.loadBalancer.${loadBalancer.listeners === undefined ? "port" : "listeners"}`;
}

/** Two names, without the hyphen between them and what the engine adds: a hyphen and seven digits. */
const longestGroupName = 32 - 1 - 8;

/** Inputs that servers would not get as they are stated. */
function checkInputs({ site, generations }: Config): string[] {
  return Object.values(generations).flatMap(({ name, inputs }) => {
    const given: Readonly<Record<string, string>> = { GENERATION: name, SITE: site.hostname, PORT: String(site.port) };
    return Object.entries(inputs).flatMap(([input, value]) => {
      const key = `handover:generations.${name}.inputs.${input}`;
      const own = given[input];
      if (own !== undefined && value !== own)
        return [`${key}: servers get ${own} from Handover, whatever is stated; remove it, or give it another name`];
      if (typeof value === "string" && value.includes("\0"))
        return [`${key}: has a NUL character, at which an environment variable ends; remove it`];
      return [];
    });
  });
}

/** What EC2 refuses of servers of a type, and tags that are too many together. */
function checkServers({ generations }: Config): string[] {
  return Object.values(generations).flatMap(({ name, instanceType, cpuCredits, tags }) => {
    const key = `handover:generations.${name}`;
    return [
      ...(cpuCredits === undefined || isBurstable(instanceType)
        ? []
        : [`${key}.cpuCredits: is for burstable types, for example t3.small, not for ${instanceType}; remove it`]),
      ...(Object.keys(tags).length <= mostTags
        ? []
        : [
            `${key}.tags: with the site's, and with those of what it extends, are ${Object.keys(tags).length}; AWS takes 50, and 10 are Handover's and Pulumi's`,
          ]),
    ];
  });
}

/** What a generation says of itself has to be known for each: an answer of any other is then of none. */
function checkIdentify({ upgrade, generations }: Config): string[] {
  const inputs = inputsIn(upgrade.identify?.equals ?? "") ?? [];
  return Object.values(generations).flatMap((generation) =>
    inputs
      .filter((input) => generation.inputs[input] === undefined)
      .map(
        (input) =>
          `handover:upgrade.identify.equals: generation "${generation.name}" has no input ${input}; state it in handover:generations.${generation.name}.inputs, with the value that its servers answer`,
      ),
  );
}

function checkBackup({ site, upgrade }: Config): string[] {
  if (upgrade.backup === undefined || site.database !== undefined) return [];
  return [
    "handover:upgrade.backup: there is no database to freeze; declare handover:site.database, or remove the commands",
  ];
}

function checkAddresses({ site, generations }: Config): string[] {
  const { count } = site.elasticIps;
  return Object.values(generations)
    .filter((generation) => generation.frontends < count)
    .map(
      ({ name, frontends }) =>
        `handover:site.elasticIps: ${count} Elastic IPs need as many frontends, but generation "${name}" has ${frontends}; raise handover:generations.${name}.frontends to ${count}`,
    );
}

function checkFiles({ generations }: Config, projectDirectory: string): string[] {
  return Object.values(generations).flatMap(({ name, userDataFile }) => {
    if (userDataFile === undefined) return [];
    const [file, key] = [resolvePath(projectDirectory, userDataFile), `handover:generations.${name}.userDataFile`];
    if (!existsSync(file) || !statSync(file).isFile())
      return [`${key}: there is no file ${userDataFile} in the project's folder; create it or correct the path`];
    if (isUtf8(readFileSync(file))) return [];
    return [
      `${key}: ${userDataFile} is no text in UTF-8, and what cloud-init would find of it is spoilt; let a script in it fetch what is binary`,
    ];
  });
}

/** A program that is given by its path; one without a slash is looked for on PATH when it is run. */
function checkCommands({ upgrade }: Config, projectDirectory: string): string[] {
  return programsOf(upgrade).flatMap(([path, program]) => {
    if (!program.includes("/") || isExecutable(resolvePath(projectDirectory, program))) return [];
    return [`${path}: ${program} is not executable; correct the path, or: chmod +x ${program}`];
  });
}

/** The program of each of the site's own commands, by the path of its key. */
export function programsOf({
  backup,
  migrate,
  beforeMove,
  smoke = [],
}: UpgradeConfig): [path: string, program: string][] {
  const commands: [string, readonly string[] | undefined][] = [
    ["backup.freeze.command", backup?.freeze.command],
    ["backup.thaw.command", backup?.thaw.command],
    ["migrate.command", migrate?.command],
    ["migrate.rollbackCommand", migrate?.rollbackCommand],
    ["beforeMove.command", beforeMove?.command],
    ...smoke.map((check, index): [string, readonly string[] | undefined] => [
      `smoke[${index}].command`,
      "command" in check ? check.command : undefined,
    ]),
  ];
  return commands.flatMap(([path, command]) => {
    const program = command?.[0];
    return program === undefined ? [] : [[`handover:upgrade.${path}`, program]];
  });
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export function resolvePath(directory: string, file: string): string {
  return isAbsolute(file) ? file : join(directory, file);
}
