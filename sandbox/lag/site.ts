import type { RunEvent } from "../../automation/documents/events.ts";
import { secondsSince } from "../../automation/elapsed.ts";
import { isAfter, lastPhase, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import { DriverProcess, problemOf } from "../chaos/driver-process.ts";
import { addFault } from "../faults.ts";
import { down, type Sandbox, up } from "../sandbox.ts";
import { edit, trafficOn } from "../site.ts";
import { problemsOf } from "../traffic/report.ts";
import { type LagRow, nameOf } from "./rows.ts";

/** What a row came to. */
export interface LagResult {
  readonly row: string;
  /** Empty when it ended where it should, and no request failed. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly withoutWayOut: number;
  /** Whether an upgrade to this healthy generation went back by itself. */
  readonly takenBack: boolean;
  readonly seconds: number;
  /** Seconds that the driver waited until weights were everywhere, by the evidence that ended the wait. */
  readonly waits: Readonly<Record<string, number>>;
}

/** Waits that are shorter than the lag, so that nothing but evidence keeps requests from being lost. */
const shortWaits = {
  "handover:site.loadBalancer.deregistrationDelaySeconds": 30,
  "handover:upgrade.shiftPercent": [50],
  "handover:upgrade.stableSeconds": 0,
  "handover:upgrade.stepSeconds": 2,
  "handover:upgrade.bakeSeconds": 2,
};

/** Beside the many quick requests a few that last almost as long as servers may drain. */
const loads = [{ requestsPerSecond: 40 }, { requestsPerSecond: 4, path: "/?sleep=25000", timeoutSeconds: 60 }];

/** Brings one site up in a process of its own, and lets its rows happen one after the other. */
async function happen(name: string, rows: readonly LagRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const { lagSeconds, late, evidence, seed } = first;
  try {
    const sandbox = await up({ name, array: 1, balancerLagSeconds: lagSeconds, balancerLate: late, seed });
    const silent = { "inputs.SIMULATE": "anonymous" };
    edit(name, {
      ...shortWaits,
      ...(evidence !== "told" && prefixed("handover:generations.blue", silent)),
      ...(evidence !== "told" && prefixed("handover:generations.green", silent)),
      ...(evidence === "blind" && {
        // What is waited for blindly is what the configuration says.
        "handover:upgrade.propagationSeconds": Math.max(1, lagSeconds),
        "handover:upgrade.comparison.enabled": false,
      }),
    });
    if (evidence === "blind") await addFault(sandbox, { kind: "denied", operation: "GetMetricData" });
    const deployed = await new DriverProcess(["upgrade", "--stack", name], () => {}).ended();
    if (deployed.exitCode !== 0) throw new Error(problemOf(deployed));
    edit(name, { "handover:live": "green" });
    for (const row of rows) process.stdout.write(`${JSON.stringify(await resultOf(row, sandbox))}\n`);
  } finally {
    await down(name);
  }
}

async function resultOf(row: LagRow, sandbox: Sandbox): Promise<LagResult> {
  const started = performance.now();
  const traffic = await Promise.all(loads.map((load) => trafficOn(sandbox, load)));
  const waits: Record<string, number> = {};
  let takenBack = false;
  const driven = async (args: readonly string[], expected: number): Promise<string[]> => {
    const driver = new DriverProcess([...args, "--stack", sandbox.name], (event) => {
      for (const [means, seconds] of waitOf(event)) waits[means] = (waits[means] ?? 0) + seconds;
      if (event.type === "rollback-started" && row.way === "upgrade") takenBack = true;
      if (event.type === "phase-started") for (const each of traffic) each?.mark(event.phase);
    });
    const ended = await driver.ended();
    return ended.exitCode === expected ? [] : [problemOf(ended)];
  };
  const problems =
    row.way === "upgrade"
      ? await driven(["upgrade"], 0)
      : [...(await driven(["upgrade", "--pause-before", after(row.way)], 3)), ...(await driven(["rollback"], 0))];
  const reports = await Promise.all(traffic.map((each) => each?.stop()));
  const sum = (of: "requests" | "failed") => reports.reduce((total, report) => total + (report?.[of] ?? 0), 0);
  const [requests, failed] = [sum("requests"), sum("failed")];
  // The network counts the requests of all loads for each of them.
  const withoutWayOut = Math.max(...reports.map((report) => report?.withoutWayOut ?? 0));
  for (const report of reports) if (report !== undefined) problems.push(...problemsOf(report));
  const seconds = secondsSince(started);
  return { row: nameOf(row), problems, requests, failed, withoutWayOut, takenBack, seconds, waits };
}

/** How long a gate waited until the weights were everywhere, and by what it knew. */
function waitOf(event: RunEvent): (readonly [means: string, seconds: number])[] {
  if (event.type !== "gate" || !event.gate.startsWith("weights everywhere")) return [];
  const evidence = event.evidence as Readonly<Record<string, unknown>>;
  const means = { waitedBlindlySeconds: "blindly", nodes: "answers", silentPeriods: "counts" };
  const [ended] = Object.entries(means).filter(([key]) => key in evidence);
  return ended === undefined ? [] : [[ended[1], event.seconds]];
}

function after(phase: PhaseName): PhaseName {
  return phaseNames.find((name) => isAfter(name, phase)) ?? lastPhase;
}

function prefixed(path: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${path}.${key}`, value]));
}

const [name = "", rows = "[]"] = process.argv.slice(2);
await happen(name, JSON.parse(rows));
