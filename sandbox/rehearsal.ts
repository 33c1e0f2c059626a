import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Listener, RunResult } from "../automation/documents/events.ts";
import { HandoverError } from "../automation/errors.ts";
import type { Signals } from "../automation/processes/signals.ts";
import { openStack } from "../automation/run/open-stack.ts";
import type { LastOutputs } from "../stacks/outputs.ts";
import { deploy } from "./deploy.ts";
import { minuteSeconds } from "./derive.ts";
import { sandboxDirectory } from "./environment.ts";
import { MemoryWatch } from "./memory.ts";
import { down, type Sandbox, stackFile, up } from "./sandbox.ts";
import { targetsOf } from "./site.ts";
import { slot } from "./slot.ts";
import { problemsOf } from "./traffic/report.ts";
import { startTraffic, type Traffic, type TrafficReport } from "./traffic/traffic.ts";

export interface RehearsalOptions {
  readonly name: string;
  readonly like: string;
  readonly frontends?: number;
  readonly array?: number;
  /** See `UpOptions`. */
  readonly balancerLagSeconds?: number;
  readonly staleReadSeconds?: number;
  /** Another `pulumi-resource-aws`. Default: the sandbox's own. */
  readonly plugin?: string;
  /** Default: the first generation in the file that is not live. */
  readonly to?: string;
  readonly requestsPerSecond: number;
  /** See `LoadOptions`. */
  readonly answerMilliseconds?: number;
  readonly listener: Listener;
  readonly signals: Signals;
}

export interface Rehearsal {
  readonly result: RunResult;
  readonly traffic: TrafficReport;
  /** Empty when users lost nothing. */
  readonly problems: readonly string[];
  /** Servers in service in each generation's array: the old one's before the upgrade, the live one's after it. */
  readonly arrays: Readonly<Record<string, number>>;
  /** How long a minute of metrics, status checks and autoscaling lasted, in seconds. */
  readonly minuteSeconds: number;
  /** Most memory that sandbox, driver, engine and load used together, in megabytes. */
  readonly memoryMegabytes: number;
  /** The whole rehearsal, with the sandbox's start and end. */
  readonly totalSeconds: number;
}

/** Up, load, upgrade, verdict, down. Whatever happens, nothing of it is left running. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const started = performance.now();
  const { name, listener, signals } = options;
  const sandbox = await up(options);
  try {
    const memory = new MemoryWatch([process.pid, ...Object.values(sandbox.processes)]);
    const first = await deploy(name, listener, signals);
    if (first.outcome !== "reached")
      throw new HandoverError(
        "rehearsal-failed",
        4,
        `The sandbox's live generation was not deployed: ${first.message ?? first.outcome}`,
      );
    setGoal(name, options.to);
    const before = await arraySizes(name);
    const { result, traffic } = await underLoad(sandbox, options);
    const arrays = { ...before, ...(await arraySizes(name)) };
    const memoryMegabytes = memory.stop();
    await down(name);
    return {
      result,
      traffic,
      problems: problemsOf(traffic),
      arrays,
      minuteSeconds,
      memoryMegabytes,
      totalSeconds: (performance.now() - started) / 1000,
    };
  } finally {
    await down(name);
  }
}

async function underLoad(sandbox: Sandbox, options: RehearsalOptions) {
  const { name, listener, signals, requestsPerSecond, answerMilliseconds = 0 } = options;
  const traffic = await startTraffic({
    ...targetsOf((await lastOutputs(name)).outputs),
    networkUrl: slot(sandbox.slot).network.url,
    ...{ requestsPerSecond, answerMilliseconds },
    logFile: join(sandboxDirectory(name), "traffic.log"),
  });
  try {
    const result = await deploy(
      name,
      (event) => {
        markPhases(traffic, event);
        listener(event);
      },
      signals,
    );
    return { result, traffic: await traffic.stop() };
  } catch (error) {
    await traffic.stop().catch(() => undefined);
    throw error;
  }
}

function markPhases(traffic: Traffic, event: Parameters<Listener>[0]): void {
  if (event.type === "phase-started") traffic.mark(event.phase);
}

async function lastOutputs(name: string): Promise<LastOutputs> {
  const opened = await openStack(name, { create: false });
  opened.close();
  if (opened.last === undefined) throw new Error(`Stack "${name}" has no outputs.`);
  return opened.last;
}

/** Size of the live generation's array, by its name; empty when it has none. */
async function arraySizes(name: string): Promise<Record<string, number>> {
  const { last, aws, close } = await openStack(name, { create: false });
  try {
    const { live = "", generations = {} } = last?.outputs ?? {};
    const array = generations[live]?.array;
    const servers = array && (await aws.arrays.find(array.name))?.servers;
    return servers ? { [live]: servers.filter(({ lifecycleState }) => lifecycleState === "InService").length } : {};
  } finally {
    close();
  }
}

function setGoal(name: string, to: string | undefined): void {
  const document = parseDocument(readFileSync(stackFile(name), "utf8"));
  const live = document.getIn(["config", "handover:live"]);
  const generations = Object.keys(
    (document.toJS() as { config: Record<string, object> }).config["handover:generations"] ?? {},
  );
  const goal = to ?? generations.find((generation) => generation !== live);
  if (goal === undefined || !generations.includes(goal)) {
    throw new HandoverError(
      "usage",
      1,
      `--to: there is no generation "${goal ?? "other than the live one"}"; known: ${generations.join(", ")}`,
    );
  }
  document.setIn(["config", "handover:live"], goal);
  writeFileSync(stackFile(name), document.toString());
}
