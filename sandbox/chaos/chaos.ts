import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import type { RunEvent } from "../../automation/report/events.ts";
import { openSession } from "../../automation/session.ts";
import { deploy } from "../deploy.ts";
import { seededRandom } from "../network/random.ts";
import { down, get, type Sandbox, stackFile, up } from "../sandbox.ts";
import { slot } from "../slot.ts";
import { startTraffic, type Traffic } from "../traffic/traffic.ts";
import { cloudProblems } from "./cloud-check.ts";
import { childOf, DriverProcess } from "./driver-process.ts";
import { nameOf, type Point } from "./points.ts";

export interface ChaosOptions {
  readonly name: string;
  readonly points: readonly Point[];
  /** Repeats the moments of the kills. */
  readonly seed: number;
  readonly onRow: (row: ChaosRow) => void;
}

export interface ChaosRow {
  readonly point: string;
  /** Empty when the goal was reached and nothing is missing, doubled or left over. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly cutByMove: number;
  /** From the kill to the goal. */
  readonly seconds: number;
}

/** Kills a part of the run at each point, resumes it, and checks that the goal is reached with nothing lost or doubled. */
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
      const row = await strike(get(name), point, goal, rows.length + 1, random);
      rows.push(row);
      onRow(row);
      live = goal;
    }
    return rows;
  } finally {
    await down(name);
  }
}

async function strike(
  sandbox: Sandbox,
  point: Point,
  goal: string,
  runs: number,
  random: () => number,
): Promise<ChaosRow> {
  const traffic = await trafficOn(sandbox);
  const { killed, ended } = await runAndKill(sandbox, point, random);
  const started = performance.now();
  const problems: string[] = [];
  if (!killed) problems.push("nothing was killed");
  const attempts = ended === 0 ? 0 : await resumeUntilDone(sandbox.name, problems);
  const seconds = (performance.now() - started) / 1000;
  if (attempts > 3) problems.push(`${attempts} resumes were needed`);
  const check = { live: goal, frontends: 2, site: `handover-${sandbox.name}`, runs };
  problems.push(...(await cloudProblems(check, { region: sandbox.region })));
  const { requests, failed, cutByMove, failures } = await traffic.stop();
  if (failed > 0) problems.push(`failed: ${JSON.stringify(failures.slice(0, 3))}`);
  return { point: nameOf(point), problems, requests, failed, cutByMove, seconds };
}

/** Starts an upgrade and kills the victim at its moment. @returns the driver's exit code, null when it was killed */
async function runAndKill(
  sandbox: Sandbox,
  { phase, moment, victim }: Point,
  random: () => number,
): Promise<{ killed: boolean; ended: number | null }> {
  const delayMilliseconds = random() * 600;
  let killed = false;
  const kill = (pid: number | undefined) => {
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
    if (event.type === "plan" && event.phase === phase) {
      if (moment === "before") kill(victims[victim]());
      if (moment === "during")
        void engineStarts(driver).then(async () => {
          await sleep(delayMilliseconds);
          kill(victims[victim]());
        });
    }
    if (event.type === "applied" && event.phase === phase && moment === "after") kill(victims[victim]());
  });
  const { exitCode } = await driver.ended();
  return { killed, ended: exitCode };
}

/** The update's engine process is there. The one of the preview has ended when its plan is told. */
async function engineStarts(driver: DriverProcess): Promise<void> {
  while (driver.enginePid === undefined && driver.running) await sleep(5);
}

/** What a person or a CI job does. */
async function resumeUntilDone(name: string, problems: string[]): Promise<number> {
  for (let attempt = 1; attempt <= 4; attempt++) {
    const driver = new DriverProcess(["resume", "--stack", name, "--take-over"], () => {});
    const { exitCode, stderr } = await driver.ended();
    if (exitCode === 0) return attempt;
    if (attempt === 4) problems.push(`exit code ${exitCode}: ${stderr.trim().split("\n").slice(-3).join(" ")}`);
  }
  return 4;
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
