import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, ConfigError, parseConfig } from "../../stacks/config.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { packagePath, projectDirectory } from "../../stacks/project.ts";
import { siteName } from "../../stacks/tags.ts";
import type { Access } from "../cloud/access.ts";
import { Aws } from "../cloud/aws.ts";
import { SystemsManager } from "../cloud/systems-manager.ts";
import { scratchBackend } from "../engine/backend.ts";
import type { Deployment } from "../engine/deployment.ts";
import { Engine } from "../engine/engine.ts";
import { handoverValues, readStackFile, type StackFile } from "../engine/stack-file.ts";
import { HandoverError } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import { readLease } from "../ledger/lease.ts";
import { checkElasticIps } from "../run/elastic-ips.ts";
import { checkImage } from "../run/image.ts";
import { checkLaunch, type Launch } from "../run/launch.ts";
import { checkOneSite } from "../run/one-site.ts";
import { accessOfFile } from "../run/open-stack.ts";
import { otherWays } from "../run/other-ways.ts";
import { checkPlace } from "../run/place-check.ts";
import { ledgerOf } from "../run/run-ledger.ts";
import { checkAccount } from "./account.ts";
import { checkAsked } from "./asked.ts";
import { type Finding, ok, problem, reasonOf, skipped } from "./finding.ts";
import { checkMoves } from "./moves.ts";
import { checkPermissions } from "./permissions.ts";
import { checkQuotas } from "./quotas.ts";
import { checkEngine, checkNode, checkPlugin } from "./tools.ts";
import { checkWatched } from "./watched.ts";

/**
 * Looks at everything that a run needs. It takes no lease and changes nothing.
 * @throws HandoverError (exit 1) when there is no such stack
 */
export async function diagnose(stack: string): Promise<Finding[]> {
  const file = readStackFile(projectDirectory, stack);
  const [configuration, config] = checkConfiguration(file);
  const [engine, plugin, backend] = await Promise.all([checkEngine(), checkPlugin(), checkBackend(file)]);
  const { last, deployment } = backend;
  const [regionFinding, access] = checkRegion(file, backend.values);
  const account = access === undefined ? undefined : await checkAccount(access);
  const place = access === undefined || account?.[0].result !== "ok" ? [] : [await checkPlaces(file, access, last)];
  const tools = [checkNode(), engine, plugin, backend.finding, configuration, regionFinding];
  const ofPlace = [...(account ?? []), ...place];
  if (access === undefined || config === undefined || place.some(({ result }) => result !== "ok") || place.length === 0)
    return [
      ...[...tools, ...ofPlace],
      skipped("AWS", "image, permissions, quotas and ledger are looked at when the above is in order"),
    ];
  const at = { stack, access, config, last };
  const ofAws = await Promise.all([
    checkGoalsImage(at),
    checkPermissions(access, config, last?.outputs),
    deployment === undefined ? checkLedger(at) : checkSite(at, deployment),
    checkWaysIn(at),
    checkQuotas(access, config, last, siteName(stack, last?.outputs)),
    checkWatched(access, config),
    checkAsked(config, last),
    checkAddresses(at),
    checkElasticIpsOf(at),
  ]);
  return [...tools, ...ofPlace, ...ofAws.flat()];
}

/** A stack that is looked at. */
interface Looked {
  readonly stack: string;
  readonly access: Access;
  readonly config: Config;
  /** Undefined when it was never deployed. */
  readonly last: LastOutputs | undefined;
}

function checkConfiguration(file: StackFile): readonly [Finding, Config | undefined] {
  try {
    const config = parseConfig(handoverValues(file.config), projectDirectory);
    const names = Object.keys(config.generations).join(", ");
    return [ok("configuration", `generations ${names}; the goal is ${config.live}`), config];
  } catch (error) {
    if (error instanceof ConfigError) return [problem("configuration", error.problems.join("; ")), undefined];
    throw error;
  }
}

function checkRegion(file: StackFile, values: StackFile["config"] | undefined): readonly [Finding, Access | undefined] {
  try {
    const access = accessOfFile(file, values);
    return [ok("region", access.region), access];
  } catch (error) {
    if (error instanceof ConfigError) return [problem("region", error.message), undefined];
    throw error;
  }
}

/** A backend, and what it has of the stack. */
interface Backend {
  readonly finding: Finding;
  readonly last?: LastOutputs | undefined;
  /** The state of a stack that was never deployed. */
  readonly deployment?: Deployment | undefined;
  /** The file's values with secrets decrypted, where it has any. */
  readonly values?: StackFile["config"] | undefined;
}

/** Opens the stack, which needs the backend and, where there are secrets, what decrypts them. */
async function checkBackend(file: StackFile): Promise<Backend> {
  let engine: Engine | undefined;
  try {
    engine = await Engine.open(file, { create: false });
    const last = await engine.state.outputs();
    const serves = last === undefined ? "nothing is deployed yet" : `${last.outputs.live} serves`;
    return {
      finding: ok("backend", `stack ${file.stack} is there; ${serves}`),
      last,
      deployment: last ? undefined : await engine.state.export(),
      values: file.hasSecrets ? await engine.decryptedConfig() : undefined,
    };
  } catch (error) {
    if (error instanceof HandoverError && error.code === "stack-not-deployed")
      return { finding: ok("backend", `reached; stack ${file.stack} was never deployed`), deployment: {} };
    const hint =
      "log in (pulumi login), and set PULUMI_CONFIG_PASSPHRASE or allow kms:Decrypt, whichever the stack's secrets need";
    return { finding: problem("backend", `${reasonOf(error)} To mend it, ${hint}`) };
  } finally {
    engine?.close();
  }
}

/** Whether the driver, the engine and the site are in one account and region. */
async function checkPlaces(file: StackFile, access: Access, last: LastOutputs | undefined): Promise<Finding> {
  const { stack } = file;
  const aws = new Aws(access);
  const directory = mkdtempSync(join(tmpdir(), "handover-doctor-"));
  let engine: Engine | undefined;
  try {
    // In a backend that is thrown away: a stack that was never deployed is in no other.
    engine = await Engine.open(file, { create: true, environment: scratchBackend(directory) });
    const account = await checkPlace({ stack, access, last, aws, engine }, AbortSignal.timeout(60_000));
    return ok("account", `Handover and the engine work in ${account}`);
  } catch (error) {
    if (error instanceof HandoverError && error.code === "another-place") return problem("account", error.message);
    return problem("account", `${reasonOf(error)} The engine did not say in which account it works`);
  } finally {
    engine?.close();
    aws.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether another backend has the site of a stack that this one does not know. */
async function checkSite({ stack, access }: Looked, deployment: Deployment): Promise<Finding> {
  const { region } = access;
  const aws = new Aws(access);
  try {
    await checkOneSite({ stack, region, aws, engine: { state: { export: async () => deployment } } });
    return ok("site", "nothing of it is there yet; the first `handover upgrade` deploys it");
  } catch (error) {
    if (error instanceof HandoverError && error.code === "another-site") return problem("site", error.message);
    return skipped("site", reasonOf(error));
  } finally {
    aws.close();
  }
}

async function checkGoalsImage({ stack, access, config, last }: Looked): Promise<Finding[]> {
  const { generations, live } = config;
  const signal = AbortSignal.timeout(60_000);
  const aws = new Aws(access);
  const generation = generations[live];
  try {
    if (generation === undefined) return [skipped("image", "there is no goal")];
    await checkImage(aws, generation, signal);
    const image = ok("image", `${generation.imageId} runs on ${generation.instanceType}`);
    return [image, await checkGoalsLaunch({ stack, config, last, aws }, signal)];
  } catch (error) {
    if (error instanceof ConfigError) return [problem("image", error.message)];
    return [skipped("image", reasonOf(error))];
  } finally {
    aws.close();
  }
}

async function checkGoalsLaunch(launch: Launch, signal: AbortSignal): Promise<Finding> {
  try {
    await checkLaunch(launch, signal);
    return ok("launch", "AWS would launch the goal's servers, or they are there");
  } catch (error) {
    if (error instanceof ConfigError) return problem("launch", error.problems.join("; "));
    return skipped("launch", reasonOf(error));
  }
}

async function checkWaysIn({ access, config, last }: Looked): Promise<Finding> {
  const check = "ways in";
  if (last === undefined) return skipped(check, "nothing is deployed yet");
  const aws = new Aws(access);
  try {
    const found = await otherWays(aws, config, last.outputs, AbortSignal.timeout(60_000));
    if (found.length === 0)
      return ok(check, `${last.outputs.live}'s servers are reached by what Handover shifts alone`);
    return problem(
      check,
      `${found.join("; ")}. An upgrade pauses there: let everything reach the servers through the site's listener and its addresses, and declare what the array has`,
    );
  } catch (error) {
    return skipped(check, reasonOf(error));
  } finally {
    aws.close();
  }
}

async function checkAddresses({ access, config, last }: Looked): Promise<Finding[]> {
  const manager = new SystemsManager(access);
  try {
    return await checkMoves(config, last, manager);
  } finally {
    manager.close();
  }
}

async function checkElasticIpsOf({ stack, access, config, last }: Looked): Promise<Finding[]> {
  const { allocationIds, publicIpv4Pool, ipamPoolId } = config.site.elasticIps;
  if ((allocationIds ?? publicIpv4Pool ?? ipamPoolId) === undefined) return [];
  const check = "Elastic IPs";
  const aws = new Aws(access);
  const asked = { site: siteName(stack, last?.outputs), region: access.region, config, last, aws };
  try {
    await checkElasticIps(asked, AbortSignal.timeout(60_000));
    const words = allocationIds === undefined ? "the pool has what is needed" : "those that the file names can be had";
    return [ok(check, words)];
  } catch (error) {
    if (error instanceof ConfigError) return [problem(check, error.problems.join("; "))];
    return [skipped(check, reasonOf(error))];
  } finally {
    aws.close();
  }
}

async function checkLedger({ stack, access, last }: Looked): Promise<Finding> {
  const table = ledgerOf({ site: siteName(stack, last?.outputs), access });
  try {
    const { state } = await readLease(table);
    return ok("ledger", `table ${table.tableName}; its lease is ${state}`);
  } catch (error) {
    if (error instanceof LedgerMissingError)
      return ok("ledger", `table ${table.tableName} is not there yet; the first \`handover upgrade\` creates it`);
    return problem(
      "ledger",
      `${reasonOf(error)} It needs the actions of ${packagePath("docs/iam-policy.json")} on table ${table.tableName}`,
    );
  } finally {
    table.client.destroy();
  }
}
