import { secondsSince } from "../../automation/elapsed.ts";
import { addFault, clearFaults } from "../faults.ts";
import { seededRandom } from "../network/random.ts";
import { down, get, type Sandbox, up } from "../sandbox.ts";
import { edit, trafficOn } from "../site.ts";
import { problemsOf } from "../traffic/report.ts";
import { type CloudCheck, cloudProblems } from "./cloud-check.ts";
import { DriverProcess, problemOf } from "./driver-process.ts";
import { type BadDay, daysOf, killsOfFirstDeployment, nameOf, type Point, site } from "./points.ts";
import { type ChaosRow, Strikes } from "./strikes.ts";

export interface ChaosOptions {
  readonly name: string;
  readonly points: readonly Point[];
  /** Number of servers in the array. Default: no array. */
  readonly array?: number;
  /** See `UpOptions`. */
  readonly balancerLagSeconds?: number;
  readonly staleReadSeconds?: number;
  /** Repeats the moments of the kills. */
  readonly seed: number;
  readonly onUpgrade: (upgrade: ChaosUpgrade) => void;
}

/** One upgrade, and what went wrong in it. */
export interface ChaosUpgrade {
  readonly rows: readonly ChaosRow[];
  /** Empty when it ended where it should and nothing is missing, doubled, left over or lost. */
  readonly problems: readonly string[];
  readonly requests: number;
  readonly failed: number;
  readonly cutByMove: number;
  readonly withoutWayOut: number;
}

/** Makes something go wrong in one upgrade after another, and checks that each ends with nothing lost or doubled. */
export async function chaos({
  name,
  points,
  array = 0,
  balancerLagSeconds,
  staleReadSeconds,
  seed,
  onUpgrade,
}: ChaosOptions): Promise<readonly ChaosUpgrade[]> {
  const random = seededRandom(seed);
  const upgrades: ChaosUpgrade[] = [];
  const tell = (upgrade: ChaosUpgrade) => {
    upgrades.push(upgrade);
    onUpgrade(upgrade);
  };
  await up({ name, ...(array > 0 && { array }), balancerLagSeconds, staleReadSeconds, seed });
  try {
    edit(name, shortWaits);
    const strikes = new Strikes(get(name), killsOfFirstDeployment(points), random);
    const deployment = await upgradeOn(get(name), { live: "blue", array, runs: 0 }, () => strikes.upgrade());
    if (deployment.rows.length + deployment.problems.length > 0) tell(deployment);
    let live = "blue";
    for (const [index, day] of daysOf(points).entries()) {
      const goal = live === "blue" ? "green" : "blue";
      edit(name, { "handover:live": goal });
      if (!("exitCode" in day && day.exitCode === 2)) live = goal;
      const upgrade = await upgradeOn(get(name), { live, array, runs: index + 1 }, () =>
        "faults" in day ? badDay(get(name), day) : new Strikes(get(name), day, random).upgrade(),
      );
      tell(upgrade);
    }
    return upgrades;
  } finally {
    await down(name);
  }
}

async function upgradeOn(
  sandbox: Sandbox,
  expected: Pick<CloudCheck, "live" | "array" | "runs">,
  upgrade: () => Promise<readonly ChaosRow[]>,
): Promise<ChaosUpgrade> {
  const traffic = await trafficOn(sandbox, { requestsPerSecond: 50 });
  const rows = await upgrade();
  const check = { ...expected, frontends: 2, site: `handover-${sandbox.name}` };
  const left = await cloudProblems(check, { region: sandbox.region });
  const report = await traffic?.stop();
  const { requests, failed, cutByMove, withoutWayOut } = report ?? nothing;
  const lost = report === undefined ? [] : problemsOf(report);
  return { rows, problems: [...left, ...lost], requests, failed, cutByMove, withoutWayOut };
}

/** Upgrades while the cloud answers badly, without any help. */
async function badDay(sandbox: Sandbox, day: BadDay): Promise<readonly ChaosRow[]> {
  const started = performance.now();
  for (const fault of day.faults) await addFault(sandbox, fault);
  const driver = new DriverProcess(["upgrade", "--stack", sandbox.name], () => {});
  const ended = await driver.ended();
  await clearFaults(sandbox);
  const problems = ended.exitCode === day.exitCode ? [] : [problemOf(ended)];
  return [{ point: nameOf(day), problems, seconds: secondsSince(started) }];
}

const nothing = { requests: 0, failed: 0, cutByMove: 0, withoutWayOut: 0 };

/** Shortens the watching and draining, on which the proof does not depend. */
const shortWaits = {
  "handover:site.loadBalancer.deregistrationDelaySeconds": 2,
  "handover:upgrade.shiftPercent": site.shiftPercent,
  "handover:upgrade.stableSeconds": 0,
  "handover:upgrade.stepSeconds": 0,
  "handover:upgrade.bakeSeconds": 1,
  "handover:upgrade.comparison.enabled": false,
  "handover:upgrade.probe.enabled": false,
};
