import { type Config, ConfigError, parseConfig } from "../../stacks/config.ts";
import { fewerServers, objection } from "../../stacks/guard.ts";
import { type SiteShape, shapeOf } from "../../stacks/intent.ts";
import { misplaced, releases } from "../../stacks/losses.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { type Parameters, withParameters } from "../../stacks/parameters.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { firstPhase } from "../../stacks/runbook.ts";
import { siteName } from "../../stacks/tags.ts";
import { siteAsLaunched, userData, userDataDigest } from "../../stacks/user-data.ts";
import type { Access } from "../cloud/access.ts";
import { Aws } from "../cloud/aws.ts";
import { accessOf } from "../cloud/plugin-settings.ts";
import { SettingError } from "../cloud/setting-values.ts";
import { SystemsManager } from "../cloud/systems-manager.ts";
import { Engine } from "../engine/engine.ts";
import { handoverValues, pluginSettings, readStackFile, type StackFile } from "../engine/stack-file.ts";
import type { OpenOptions } from "../engine/workspace.ts";

/** An open stack: its configuration, checked, its last outputs, the engine, and AWS. */
export interface OpenStack {
  readonly stack: string;
  /** See `siteName`. */
  readonly site: string;
  readonly region: string;
  readonly access: Access;
  readonly config: Config;
  readonly shape: SiteShape;
  readonly engine: Engine;
  readonly aws: Aws;
  readonly manager: SystemsManager;
  /** Undefined when the stack was never deployed. */
  readonly last: LastOutputs | undefined;
  /** Values that must not be seen anywhere. */
  readonly secrets: ReadonlySet<string>;
  close(): void;
}

/**
 * Opens a stack. Configuration is checked before the engine is asked for anything.
 * @throws ConfigError or HandoverError (exit 1); nothing was created
 */
export async function openStack(stack: string, options: OpenOptions): Promise<OpenStack> {
  const file = readStackFile(projectDirectory, stack);
  parseConfig(handoverValues(file.config), projectDirectory);
  accessOfFile(file);
  const engine = await Engine.open(file, options);
  try {
    const values = file.hasSecrets ? await engine.decryptedConfig() : file.config;
    const stated = parseConfig(handoverValues(values), projectDirectory);
    const access = accessOfFile(file, values);
    const aws = new Aws(access);
    const manager = new SystemsManager(access);
    const last = await engine.state.outputs();
    const inUse = new Set([...Object.keys(last?.outputs.generations ?? {}), stated.live]);
    const read = (path: string) => manager.parametersUnder(path);
    const { config, parameters } = await withParameters(stated, [...inUse], last?.definitions, read);
    return {
      stack,
      site: siteName(stack, last?.outputs),
      region: access.region,
      access,
      config,
      shape: shapeOf(config),
      engine,
      aws,
      manager,
      last,
      secrets: new Set([
        ...(file.hasSecrets ? secretsOf(file.config, values) : []),
        ...Object.values(parameters).flatMap(secretParameters),
        ...[...credentials(process.env), ...access.secrets].filter(isLong),
      ]),
      close() {
        aws.close();
        manager.close();
        engine.close();
      },
    };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** @throws ConfigError when the goal cannot be reached from what serves now */
export function checkGoal({ config, last }: OpenStack): void {
  // The driver goes phase by phase, so a new goal is no jump.
  const stepping = { ...config, phase: firstPhase };
  const problem = objection(stepping, last, (generation) =>
    userDataDigest(userData(generation, siteAsLaunched(config.site, last, generation.name), projectDirectory)),
  );
  const ofAddresses = misplaced(config, last) ?? releases(config, last, false);
  const problems = [problem, last && fewerServers(config, last), ofAddresses].filter((each) => each !== undefined);
  if (problems.length > 0) throw new ConfigError(problems);
}

export function stackFileOf(stack: string): StackFile {
  return readStackFile(projectDirectory, stack);
}

/**
 * What a stack's file says of where AWS is, and as whom to ask it.
 * @param values everything under `config`, decrypted. Default: as the file has it
 * @throws ConfigError
 */
export function accessOfFile(file: StackFile, values: StackFile["config"] = file.config): Access {
  const region = regionOf(file);
  try {
    return accessOf(region, pluginSettings(values));
  } catch (error) {
    throw error instanceof SettingError ? new ConfigError([error.message]) : error;
  }
}

function regionOf({ config, stack }: StackFile): string {
  const region = config["aws:region"] ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (typeof region === "string" && region !== "") return region;
  throw new ConfigError([`aws:region: is missing in Pulumi.${stack}.yaml; add for example: aws:region: us-east-1`]);
}

function secretParameters(parameters: Parameters): string[] {
  return Object.values(parameters).flatMap(({ value, secret }) => (secret ? [value] : []));
}

/** Credentials that the driver itself works with. A short one, such as a sandbox's, would be found in ordinary words. */
function credentials(environment: NodeJS.ProcessEnv): string[] {
  const names = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"];
  return names.flatMap((name) => environment[name] ?? []);
}

function isLong(secret: string): boolean {
  return secret.length >= 12;
}

/** The decrypted text at every place where the file has `secure:`. */
function secretsOf(encrypted: unknown, decrypted: unknown): string[] {
  if (typeof encrypted !== "object" || encrypted === null) return [];
  if ("secure" in encrypted) return typeof decrypted === "string" ? [decrypted] : [];
  return Object.entries(encrypted).flatMap(([key, value]) =>
    secretsOf(value, (decrypted as Record<string, unknown>)?.[key]),
  );
}
