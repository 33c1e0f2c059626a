import { type Config, ConfigError, parseConfig } from "../../stacks/config.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { Aws } from "../cloud/aws.ts";
import type { Deployment } from "../engine/deployment.ts";
import { Engine } from "../engine/engine.ts";
import { handoverValues, readStackFile, type StackFile } from "../engine/stack-file.ts";
import { HandoverError } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import { readLease } from "../ledger/lease.ts";
import { checkImage } from "../run/image.ts";
import { checkLaunch, type Launch } from "../run/launch.ts";
import { checkOneSite } from "../run/one-site.ts";
import { regionOf } from "../run/open-stack.ts";
import { otherWays } from "../run/other-ways.ts";
import { ledgerOf } from "../run/run-ledger.ts";
import { checkAccount } from "./account.ts";
import { type Finding, ok, problem, reasonOf, skipped } from "./finding.ts";
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
  const [regionFinding, region] = checkRegion(file);
  const [engine, plugin, backend, account] = await Promise.all([
    checkEngine(),
    checkPlugin(),
    checkBackend(file),
    region === undefined ? undefined : checkAccount(region),
  ]);
  const [backendFinding, last, deployment] = backend;
  const tools = [checkNode(), engine, plugin, backendFinding, configuration, regionFinding, ...(account ?? [])];
  if (region === undefined || config === undefined || account?.[0].result !== "ok")
    return [...tools, skipped("AWS", "image, permissions, quotas and ledger are looked at when the above is in order")];
  const ofAws = await Promise.all([
    checkGoalsImage(stack, region, config, last),
    checkPermissions(region, config, last?.outputs),
    deployment === undefined ? checkLedger(stack, region) : checkSite(stack, region, deployment),
    checkWaysIn(region, config, last),
    checkQuotas(region, config, last?.outputs),
    checkWatched(region, config),
  ]);
  return [...tools, ...ofAws.flat()];
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

function checkRegion(file: StackFile): readonly [Finding, string | undefined] {
  try {
    const region = regionOf(file);
    return [ok("region", region), region];
  } catch (error) {
    if (error instanceof ConfigError) return [problem("region", error.message), undefined];
    throw error;
  }
}

/** Opens the stack, which needs the backend and, where there are secrets, what decrypts them. */
async function checkBackend(
  file: StackFile,
): Promise<readonly [Finding, LastOutputs | undefined, undeployed?: Deployment | undefined]> {
  let engine: Engine | undefined;
  try {
    engine = await Engine.open(file, { create: false });
    const last = await engine.state.outputs();
    const serves = last === undefined ? "nothing is deployed yet" : `${last.outputs.live} serves`;
    return [
      ok("backend", `stack ${file.stack} is there; ${serves}`),
      last,
      last ? undefined : await engine.state.export(),
    ];
  } catch (error) {
    if (error instanceof HandoverError && error.code === "stack-not-deployed")
      return [ok("backend", `reached; stack ${file.stack} was never deployed`), undefined, {}];
    const hint =
      "log in (pulumi login), and set PULUMI_CONFIG_PASSPHRASE or allow kms:Decrypt, whichever the stack's secrets need";
    return [problem("backend", `${reasonOf(error)} To mend it, ${hint}`), undefined];
  } finally {
    engine?.close();
  }
}

/** Whether another backend has the site of a stack that this one does not know. */
async function checkSite(stack: string, region: string, deployment: Deployment): Promise<Finding> {
  const aws = new Aws(region);
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

async function checkGoalsImage(
  stack: string,
  region: string,
  config: Config,
  last: LastOutputs | undefined,
): Promise<Finding[]> {
  const { generations, live } = config;
  const signal = AbortSignal.timeout(60_000);
  const aws = new Aws(region);
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

async function checkWaysIn(region: string, config: Config, last: LastOutputs | undefined): Promise<Finding> {
  const check = "ways in";
  if (last === undefined) return skipped(check, "nothing is deployed yet");
  const aws = new Aws(region);
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

async function checkLedger(stack: string, region: string): Promise<Finding> {
  const table = ledgerOf(stack, region);
  try {
    const { state } = await readLease(table);
    return ok("ledger", `table ${table.tableName}; its lease is ${state}`);
  } catch (error) {
    if (error instanceof LedgerMissingError)
      return ok("ledger", `table ${table.tableName} is not there yet; the first \`handover upgrade\` creates it`);
    return problem(
      "ledger",
      `${reasonOf(error)} It needs the actions of docs/iam-policy.json on table ${table.tableName}`,
    );
  } finally {
    table.client.destroy();
  }
}
