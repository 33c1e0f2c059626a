import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AllocateAddressCommand, EC2Client } from "@aws-sdk/client-ec2";
import { parse } from "yaml";
import { knownStacks, stackToRehearse } from "../automation/engine/stack-file.ts";
import { HandoverError, messageOf } from "../automation/errors.ts";
import { beforeHandover, projectDirectory } from "../stacks/project.ts";
import { createDatabase } from "./database/reference.ts";
import { derive, minuteSeconds } from "./derive.ts";
import { enter, environment, exportLines, sandboxDirectory } from "./environment.ts";
import { createKey } from "./key.ts";
import { checkedPlugin } from "./plugin-check.ts";
import { isRunning, stopProcess } from "./processes.ts";
import {
  type BalancerOptions,
  ownProvider,
  startCloudService,
  startDatabaseService,
  startNetwork,
  startProvider,
} from "./services.ts";
import { freeSlot, type Slot, slot as slotOf } from "./slot.ts";

/** A running sandbox, as `.sandbox/<name>/sandbox.json` has it. */
export interface Sandbox {
  readonly name: string;
  readonly slot: number;
  readonly region: string;
  /** The folder with its `pulumi-resource-aws`. */
  readonly providerDirectory: string;
  /** Process ids of the services, in the order in which they were started. */
  readonly processes: Readonly<Record<string, number>>;
}

export interface UpOptions extends Partial<BalancerOptions> {
  readonly name: string;
  /** The stack whose file is followed. Default: see `stackToRehearse`. */
  readonly like?: string;
  readonly frontends?: number;
  readonly array?: number;
  /** The longest that a Describe call takes to show a change, in seconds. Default: 1. */
  readonly staleReadSeconds?: number;
  /** Another `pulumi-resource-aws`, for example the official one. Default: `HANDOVER_SANDBOX_PLUGIN`, or the sandbox's own. */
  readonly plugin?: string;
}

/** As AWS on a good day: https://github.com/argoproj/argo-rollouts/issues/4595 tells of seconds to minutes. */
export const defaultBalancerLagSeconds = 3;

/** As AWS on a good day, too: the rare reads that are minutes late are no dimension of tests. */
export const defaultStaleReadSeconds = 1;

/**
 * Starts the services in the background and writes `Pulumi.<name>.yaml`. This process is one of the sandbox then: its
 * environment has the endpoint, the credentials and the backend.
 */
export async function up({
  name,
  like = stackToRehearse(),
  frontends,
  array,
  balancerLagSeconds = defaultBalancerLagSeconds,
  balancerLate = "both",
  seed = 1,
  plugin = process.env.HANDOVER_SANDBOX_PLUGIN || undefined,
  staleReadSeconds = defaultStaleReadSeconds,
}: UpOptions): Promise<Sandbox> {
  if (find(name) !== undefined) {
    throw new HandoverError(
      "sandbox-up",
      1,
      `Sandbox "${name}" is already up. Nothing was changed. Use it (eval "$(${beforeHandover}${sandboxCommand("env", name)})"), or end it with: ${sandboxCommand("down", name)}`,
    );
  }
  if (existsSync(stackFile(name)) && !isOwn(name)) {
    throw new HandoverError(
      "not-a-sandbox",
      1,
      `--name: Pulumi.${name}.yaml is no sandbox's, and would be overwritten. Nothing was changed. Take another name, for example: ${sandboxCommand("up", `sandbox-${name}`)}`,
    );
  }
  const file = readLike(like);
  const executable = plugin === undefined ? undefined : await checkedPlugin(plugin);
  const region = String((file.config as Record<string, unknown>)["aws:region"] ?? "us-east-1");
  const directory = sandboxDirectory(name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, "state"), { recursive: true });
  const providerDirectory = executable === undefined ? ownProvider : providerIn(directory, executable);
  const processes: Record<string, number> = {};
  try {
    const { slot, pid } = await startCloudInFreeSlot(directory, file, like, {
      ...{ metricMinuteSeconds: minuteSeconds, statusCheckSeconds: minuteSeconds, scalingMinuteSeconds: minuteSeconds },
      ...{ staleReadSeconds, seed },
    });
    processes.cloud = pid;
    const variables = environment(name, region, slot, providerDirectory);
    enter(variables);
    const services = {
      database: startDatabaseService(directory, slot),
      network: startNetwork(directory, slot, { balancerLagSeconds, balancerLate, seed }),
      provider: startProvider(directory, slot, executable),
    };
    // When one does not start, the others are known by then and are stopped.
    const ends = await Promise.allSettled(Object.values(services));
    for (const [index, service] of Object.keys(services).entries()) {
      const end = ends[index];
      if (end?.status === "fulfilled") processes[service] = end.value;
    }
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    const site = (file.config as Record<string, { database?: object; elasticIps?: unknown }>)["handover:site"];
    const database = await createDatabase(site?.database, region);
    const allocationIds = Array.isArray(site?.elasticIps) ? await allocate(site.elasticIps.length, region) : undefined;
    const encryption = await createKey(region);
    const { text } = derive({
      ...{ like: file, likeName: like, slot, database, encryption, frontends, array },
      ...(allocationIds !== undefined && { allocationIds }),
      lagSeconds: Math.ceil(balancerLagSeconds + staleReadSeconds),
    });
    writeFileSync(stackFile(name), text);
    const sandbox: Sandbox = { name, slot: slot.number, region, providerDirectory, processes };
    writeFileSync(join(directory, "env"), exportLines(variables), { mode: 0o600 });
    writeFileSync(join(directory, "sandbox.json"), JSON.stringify(sandbox));
    return sandbox;
  } catch (error) {
    await stop(processes);
    throw error;
  }
}

/** Elastic IPs that are there before Handover is, as those that a real site's file names. */
async function allocate(count: number, region: string): Promise<string[]> {
  const ec2 = new EC2Client({ region });
  try {
    const each = Array.from({ length: count }, () => ec2.send(new AllocateAddressCommand({ Domain: "vpc" })));
    return (await Promise.all(each)).map(({ AllocationId = "" }) => AllocationId);
  } finally {
    ec2.destroy();
  }
}

/** Ends the services. The cloud and everything in it is gone; logs stay in the sandbox's folder. */
export async function down(name: string): Promise<boolean> {
  const sandbox = find(name);
  if (sandbox !== undefined) await stop(sandbox.processes);
  const directory = sandboxDirectory(name);
  if (isOwn(name)) rmSync(stackFile(name), { force: true });
  for (const file of ["sandbox.json", "env", "state", "database", "plugin"])
    rmSync(join(directory, file), { recursive: true, force: true });
  return sandbox !== undefined;
}

/** The sandbox of that name, if one of its services runs. */
export function find(name: string): Sandbox | undefined {
  const file = join(sandboxDirectory(name), "sandbox.json");
  if (!existsSync(file)) return undefined;
  const sandbox = JSON.parse(readFileSync(file, "utf8")) as Sandbox;
  return Object.values(sandbox.processes).some(isRunning) ? sandbox : undefined;
}

/** @throws HandoverError (exit 1) when there is no such sandbox */
export function get(name: string): Sandbox {
  const sandbox = find(name);
  if (sandbox === undefined)
    throw new HandoverError(
      "no-sandbox",
      1,
      `No sandbox "${name}" is up. Start it with: ${sandboxCommand("up", name)}`,
    );
  return sandbox;
}

export function environmentOf(sandbox: Sandbox): Record<string, string> {
  const { name, region, slot, providerDirectory } = sandbox;
  return environment(name, region, slotOf(slot), providerDirectory);
}

/** The command line to type for this sandbox. */
export function sandboxCommand(action: "up" | "env" | "down", name: string): string {
  return `handover sandbox ${action} --name ${name}`;
}

export function stackFile(name: string): string {
  return join(projectDirectory, `Pulumi.${name}.yaml`);
}

/** Whether a stack's file of that name is a sandbox's, if there is one: from its start to its end the sandbox has a state. */
function isOwn(name: string): boolean {
  return existsSync(join(sandboxDirectory(name), "state"));
}

/** Another sandbox may begin at the same moment, and take the slot that was free: then the next one is tried. */
async function startCloudInFreeSlot(
  directory: string,
  file: Record<string, unknown>,
  like: string,
  settings: object,
): Promise<{ slot: Slot; pid: number }> {
  for (let attempt = 1; ; attempt++) {
    const slot = await freeSlot();
    const { images, pools } = derive({ like: file, likeName: like, slot, database: undefined });
    try {
      return { slot, pid: await startCloudService(directory, slot, { ...settings, images, pools }) };
    } catch (error) {
      if (attempt === 5 || !/address already in use/i.test(messageOf(error))) throw error;
    }
  }
}

/** A folder in which an engine finds the plugin by its name, whatever it is called. */
function providerIn(directory: string, executable: string): string {
  const folder = join(directory, "plugin");
  mkdirSync(folder);
  symlinkSync(executable, join(folder, "pulumi-resource-aws"));
  return folder;
}

async function stop(processes: Readonly<Record<string, number>>): Promise<void> {
  for (const pid of Object.values(processes).reverse()) await stopProcess(pid);
}

function readLike(like: string): Record<string, unknown> {
  const file = stackFile(like);
  if (!existsSync(file))
    throw new HandoverError(
      "unknown-stack",
      1,
      `--like: there is no Pulumi.${like}.yaml in the project's folder; known stacks: ${knownStacks().join(", ") || "none"}`,
    );
  return parse(readFileSync(file, "utf8")) as Record<string, unknown>;
}
