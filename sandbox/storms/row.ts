import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent, RunResult } from "../../automation/documents/events.ts";
import { secondsSince } from "../../automation/elapsed.ts";
import { exitCodes } from "../../automation/errors.ts";
import { cloudProblems } from "../chaos/cloud-check.ts";
import { DriverProcess, type Ended } from "../chaos/driver-process.ts";
import { clearFaults } from "../faults.ts";
import { seededRandom } from "../network/random.ts";
import { edit, trafficOn } from "../site.ts";
import { type FailureSample, wayOutProblems } from "../traffic/report.ts";
import { inventoryOf, lost } from "./inventory.ts";
import { nameOf, type StormRow, stormOf, turnsBefore } from "./rows.ts";
import type { Done } from "./storm.ts";
import type { World } from "./world.ts";

/** What a row came to. */
export interface StormResult {
  readonly row: string;
  /** Each command that was typed, and what it came to. */
  readonly way: readonly string[];
  /** Empty when it ended where it may, and nothing was lost. */
  readonly problems: readonly string[];
  readonly requests: number;
  /** Beyond those that the event itself cut. */
  readonly failed: number;
  readonly cut: number;
  readonly withoutWayOut: number;
  readonly seconds: number;
}

export interface StormSite {
  readonly world: World;
  readonly live: string;
  /** Ids of what another owner has in the account. */
  readonly others: ReadonlySet<string>;
  readonly seed: number;
}

/** Commands in a row that a person types because the one before said so. */
const patience = 4;

/** No command takes longer. */
const longestSeconds = 600;

/** Requests in flight, and a moment that two clocks differ. */
const toleranceMilliseconds = 1000;

/** Lets one thing happen beside one run, and sees it to its end as a person would. */
export async function happen(
  row: StormRow,
  { world, live, others, seed }: StormSite,
): Promise<{ readonly result: StormResult; readonly live: string }> {
  const started = performance.now();
  const { sandbox } = world;
  const storm = stormOf(row.event);
  const goal = live === "blue" ? "green" : "blue";
  edit(sandbox.name, { "handover:live": goal, "handover:upgrade.whenOldIsDown": "shift", ...storm.config });
  const random = seededRandom(seed);
  const before = await inventoryOf(world);
  const array = (await world.arrayOf(live))?.DesiredCapacity ?? 0;
  const env = await storm.env?.(world);
  const traffic = await trafficOn(sandbox, { requestsPerSecond: 30, failureSamples: 100_000 });
  const way: string[] = [];
  const problems: string[] = [];
  let done: Done | undefined;
  let at = Number.POSITIVE_INFINITY;
  let striking: Promise<void> | undefined;
  const strike = (delayMilliseconds: number) => {
    striking ??= sleep(delayMilliseconds).then(async () => {
      at = Date.now();
      try {
        done = await storm.strike({ world, from: live, to: goal, phase: row.phase });
      } catch (error) {
        problems.push(`it could not happen: ${error}`);
      }
    });
  };
  const see = (event: RunEvent) => {
    if (event.type === "phase-started") traffic?.mark(event.phase);
    if (!("phase" in event) || event.phase !== row.phase) return;
    if (row.moment === "before" && event.type === "phase-started") strike(0);
    if (row.moment === "during" && event.type === "plan") strike(random() * 600);
    if (row.moment === "after" && event.type === "applied") strike(random() * 1000);
  };
  const type = async (args: readonly string[], watch = see): Promise<Ended> => {
    const driver = new DriverProcess(args, watch, env);
    const slow = setTimeout(() => {
      problems.push(`${args[0]} did not end in ${longestSeconds} s`);
      process.kill(driver.pid, "SIGKILL");
    }, longestSeconds * 1000);
    const ended = await driver.ended();
    clearTimeout(slow);
    way.push(`${args[0]} ${ended.exitCode}`);
    return ended;
  };
  const on = (command: string, ...more: string[]) => [command, "--stack", sandbox.name, ...more];

  if (row.moment === "first") {
    strike(0);
    await striking;
  }
  const turn = turnsBefore(row.phase);
  let ended = await type(turn === undefined ? on("upgrade") : on("upgrade", "--pause-before", turn));
  if (turn !== undefined && ended.exitCode === exitCodes.paused) ended = await type(on("rollback"));
  await striking;
  for (let typed = 0; !isEnd(ended); typed++) {
    const { message = ended.last, next } = lastOf(ended);
    const commands = commandsIn(next ?? "", message);
    if (ended.exitCode === null || commands.length === 0 || typed === patience) {
      problems.push(`ends with ${ended.exitCode}: ${message}`);
      break;
    }
    if (ended.exitCode === exitCodes.needsPerson) way.push(`(${message})`);
    await done?.mend?.();
    for (const args of commands) ended = await type(args, () => {});
    // The next one waits for a lease that could not be given back, as its message says.
    if (ended.exitCode === exitCodes.busy) ended = await type([...(commands.at(-1) ?? []), "--take-over"], () => {});
  }
  await done?.mend?.();
  await done?.before?.();
  await clearFaults(sandbox);
  const report = await traffic?.stop();
  const cut = await cutBy(done, at, world);
  const failures = (report?.failures ?? []).filter(({ outcome }) => outcome === "failed");
  const unexplained = failures.filter((failure) => !cut(failure));
  if (unexplained.length > 0)
    problems.push(`${unexplained.length} failed: ${unexplained.slice(0, 3).map(inWords).join(", ")}`);
  // Whoever takes an address by hand may leave a server without a way out.
  const mayLack = (done?.displaced ?? []).length > 0;
  if (report !== undefined && !mayLack) problems.push(...wayOutProblems(report));
  if (done?.happened !== true) problems.push(`it did not happen: ${lastOf(ended).message ?? ended.last}`);
  const now = await liveOf(world);
  problems.push(...(await left(world, { before, done, array, others, live: now, from: live })));
  await done?.after?.();
  const result = {
    ...{ row: nameOf(row), way, problems, requests: report?.requests ?? 0, failed: unexplained.length },
    cut: failures.length - unexplained.length,
    withoutWayOut: report?.withoutWayOut ?? 0,
    seconds: secondsSince(started),
  };
  return { result, live: now };
}

function isEnd({ exitCode, last }: Ended): boolean {
  if (exitCode === exitCodes.reached) return true;
  return exitCode === exitCodes.rolledBack && /"outcome":"rolled-back"/.test(last);
}

function lastOf({ last }: Ended): Partial<RunResult> & { readonly message?: string } {
  try {
    return JSON.parse(last || "{}");
  } catch {
    return {};
  }
}

/** The command that a message tells to type, as a shell would read it. */
function commandsIn(next: string, message: string): string[][] {
  const line = next === "" ? (/`(handover [^`]+)`/.exec(message)?.[1] ?? "") : next;
  return line
    .split("&&")
    .map((command) => command.trim().split(/\s+/).slice(1))
    .filter((args) => args.length > 0);
}

/** Requests that the event cut: to an address until it was moved, and through the load balancer until it found a server dead. */
async function cutBy(done: Done | undefined, at: number, world: World): Promise<(failure: FailureSample) => boolean> {
  const { cutAddresses = [], displaced = [], cutSeconds = 0 } = done ?? {};
  const moves = (await world.moves()).filter((move) => move.at > at);
  const movesOf = (address: string) => moves.filter(({ publicIp }) => publicIp === address);
  const untilOnServer = (address: string, from: number) => {
    const move = movesOf(address).find((each) => each.to !== null && each.at >= from);
    return [address, { from, to: move === undefined ? Number.POSITIVE_INFINITY : move.at + 2000 }] as const;
  };
  const left = (address: string) => movesOf(address).find(({ to }) => to === null)?.at ?? Number.POSITIVE_INFINITY;
  const cuts = new Map([
    ...cutAddresses.map((address) => untilOnServer(address, at)),
    ...displaced.map((address) => untilOnServer(address, left(address))),
  ]);
  const balancerEnds = at + cutSeconds * 1000;
  return ({ target, at: when, generation }) => {
    const time = Date.parse(when);
    if (time < at - toleranceMilliseconds) return false;
    const [host = ""] = target.split(":");
    const cut = cuts.get(host);
    if (cut !== undefined) return time >= cut.from - toleranceMilliseconds && time <= cut.to + toleranceMilliseconds;
    // What a server answered itself nothing has cut.
    return generation === undefined && cutSeconds > 0 && time <= balancerEnds + toleranceMilliseconds;
  };
}

function inWords({ at, target, error, status, generation, phase }: FailureSample): string {
  return `${at.slice(11, 23)} ${target} ${error ?? status} ${generation ?? ""} in ${phase}`;
}

/** The generation that the stack says is live; where it says none, one that nothing in AWS belongs to. */
async function liveOf({ sandbox }: World): Promise<string> {
  const { last } = await new DriverProcess(["status", "--stack", sandbox.name], () => {}).ended();
  return (JSON.parse(last || "{}") as { live?: string | null }).live ?? "none";
}

interface Left {
  readonly before: Awaited<ReturnType<typeof inventoryOf>>;
  readonly done: Done | undefined;
  readonly array: number;
  readonly others: ReadonlySet<string>;
  readonly live: string;
  readonly from: string;
}

/** What is lost, missing, doubled or left over. */
async function left(world: World, { before, done, array, others, live, from }: Left): Promise<string[]> {
  const { took = [], stays = [], arraySize } = done ?? {};
  const after = await inventoryOf(world);
  const had = new Map([...before, ...stays.map((id) => [id, { what: "volume", generation: undefined }] as const)]);
  const size = arraySize === "any" ? ((await world.arrayOf(live))?.Instances?.length ?? 0) : array;
  const check = { live, frontends: 2, array: size, site: world.site, others };
  const { region } = world.sandbox;
  return [
    ...lost(had, after, { left: live === from ? undefined : from, took: new Set(took) }),
    ...((await world.hasTestRule()) ? [] : ["the test host name has no rule"]),
    ...(await cloudProblems(check, { region, endpoint: world.endpoint })),
  ];
}
