import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import type { RunEvent } from "../../automation/report/events.ts";
import { openSession } from "../../automation/session.ts";
import { deploy } from "../deploy.ts";
import { addFault, clearFaults } from "../faults.ts";
import { seededRandom } from "../network/random.ts";
import { down, get, type Sandbox, stackFile, up } from "../sandbox.ts";
import { slot } from "../slot.ts";
import { startTraffic, type Traffic } from "../traffic/traffic.ts";
import { cloudProblems } from "./cloud-check.ts";
import { childOf, DriverProcess } from "./driver-process.ts";
import { type BadDay, type Kill, nameOf, type Point } from "./points.ts";

export interface ChaosOptions {
  readonly name: string;
  readonly points: readonly Point[];
  /** Repeats the moments of the kills. */
  readonly seed: number;
  readonly onRow: (row: ChaosRow) => void;
}

export interface ChaosRow {
  readonly point: string;
  /** Empty when it ended where it should and nothing is missing, doubled or left over. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly cutByMove: number;
  /** From the kill to the goal; on a bad day the whole upgrade. */
  readonly seconds: number;
}

/** Lets something go wrong in one upgrade after the other, and checks that each ends well with nothing lost or doubled. */
export async function chaos({ name, points, seed, onRow }: ChaosOptions): Promise<readonly ChaosRow[]> {
  const random = seededRandom(seed);
  const rows: ChaosRow[] = [];
  try {
    await up({ name });
    edit(name, shortWaits);
    await deploy(name, () => {});
    let live = "blue";
    for (const point of points) {
      const goal = live === "blue" ? "green" : "blue";
      edit(name, { "handover:live": goal });
      if (!("exitCode" in point && point.exitCode === 2)) live = goal;
      const row = await rowOf(get(name), point, { live, runs: rows.length + 1 }, random);
      rows.push(row);
      onRow(row);
    }
    return rows;
  } finally {
    await down(name);
  }
}

async function rowOf(
  sandbox: Sandbox,
  point: Point,
  expected: { readonly live: string; readonly runs: number },
  random: () => number,
): Promise<ChaosRow> {
  const traffic = await trafficOn(sandbox);
  const { problems, seconds } = "faults" in point ? await badDay(sandbox, point) : await strike(sandbox, point, random);
  const check = { ...expected, frontends: 2, site: `handover-${sandbox.name}` };
  const left = await cloudProblems(check, { region: sandbox.region });
  const { requests, failed, cutByMove, failures } = await traffic.stop();
  const lost = failed > 0 ? [`failed: ${JSON.stringify(failures.slice(0, 3))}`] : [];
  return { point: nameOf(point), problems: [...problems, ...left, ...lost], requests, failed, cutByMove, seconds };
}

interface Ended {
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** An upgrade while the cloud answers badly; nobody helps it. */
async function badDay(sandbox: Sandbox, { faults, exitCode: expected }: BadDay): Promise<Ended> {
  const started = performance.now();
  for (const fault of faults) await addFault(sandbox, fault);
  const driver = new DriverProcess(["upgrade", "--stack", sandbox.name], () => {});
  const ended = await driver.ended();
  await clearFaults(sandbox);
  return { problems: ended.exitCode === expected ? [] : [problemOf(ended)], seconds: secondsSince(started) };
}

/** An upgrade in which somebody is killed, and what it takes to go on. */
async function strike(sandbox: Sandbox, kill: Kill, random: () => number): Promise<Ended> {
  const { killed, exitCode } = await runAndKill(sandbox, kill, random);
  const started = performance.now();
  const problems: string[] = [];
  if (!killed) problems.push("nothing was killed");
  const attempts = exitCode === 0 ? 0 : await resumeUntilDone(sandbox.name, problems);
  if (attempts > 3) problems.push(`${attempts} resumes were needed`);
  return { problems, seconds: secondsSince(started) };
}

/** Starts an upgrade and kills the victim at its moment. @returns the driver's exit code, null when it was killed */
async function runAndKill(
  sandbox: Sandbox,
  { phase, moment, victim }: Kill,
  random: () => number,
): Promise<{ killed: boolean; exitCode: number | null }> {
  const delayMilliseconds = random() * 600;
  const atOnce = moment === "before" || (moment === "after" && victim === "driver");
  let killed = false;
  const kill = () => {
    const pid = victims[victim]();
    if (killed || pid === undefined) return;
    killed = true;
    process.kill(pid, "SIGKILL");
  };
  const victims = {
    driver: () => driver.pid,
    engine: () => driver.enginePid,
    provider: () => childOf(sandbox.processes.provider ?? 0),
  };
  const driver = new DriverProcess(["upgrade", "--stack", sandbox.name], (event: RunEvent) => {
    const isMoment = event.type === (moment === "after" ? "applied" : "plan") && event.phase === phase;
    if (!isMoment) return;
    if (atOnce) kill();
    else
      void engineStarts(driver)
        .then(() => sleep(delayMilliseconds))
        .then(kill);
  });
  const { exitCode } = await driver.ended();
  return { killed, exitCode };
}

/** An engine works for the driver: none does when a plan was told, and none when it was applied. */
async function engineStarts(driver: DriverProcess): Promise<void> {
  while (driver.enginePid === undefined && driver.running) await sleep(5);
}

/** What a person or a CI job does. */
async function resumeUntilDone(name: string, problems: string[]): Promise<number> {
  for (let attempt = 1; attempt <= 4; attempt++) {
    const driver = new DriverProcess(["resume", "--stack", name, "--take-over"], () => {});
    const ended = await driver.ended();
    if (ended.exitCode === 0) return attempt;
    if (attempt === 4) problems.push(problemOf(ended));
  }
  return 4;
}

function problemOf({ exitCode, last }: Awaited<ReturnType<DriverProcess["ended"]>>): string {
  return `exit code ${exitCode}: ${JSON.parse(last || "{}").message}`;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

async function trafficOn(sandbox: Sandbox): Promise<Traffic> {
  const session = await openSession(sandbox.name, { create: false });
  session.close();
  const outputs = session.last?.outputs;
  if (outputs === undefined) throw new Error("The sandbox has no outputs.");
  const port = outputs.generations[outputs.live]?.port ?? 0;
  return startTraffic({
    loadBalancer: { host: outputs.loadBalancer.dnsName, port: outputs.loadBalancer.port, hostHeader: outputs.hostname },
    addresses: outputs.addresses.map(({ publicIp }) => ({ publicIp, port })),
    networkUrl: slot(sandbox.slot).network.url,
    requestsPerSecond: 50,
  });
}

/** What is proven here does not depend on how long a step is watched or an old server may finish. */
const shortWaits = {
  "handover:site.loadBalancer.deregistrationDelaySeconds": 2,
  "handover:upgrade.shiftPercent": [50],
  "handover:upgrade.stepSeconds": 0,
  "handover:upgrade.bakeSeconds": 1,
  "handover:upgrade.comparison.enabled": false,
};

function edit(name: string, values: Readonly<Record<string, unknown>>): void {
  const document = parseDocument(readFileSync(stackFile(name), "utf8"));
  for (const [path, value] of Object.entries(values)) document.setIn(["config", ...path.split(".")], value);
  writeFileSync(stackFile(name), document.toString());
}
