import assert from "node:assert/strict";
import { cloudProblems } from "../../../sandbox/chaos/cloud-check.ts";
import { addFault, clearFaults, type Fault } from "../../../sandbox/faults.ts";
import { get } from "../../../sandbox/sandbox.ts";
import { drive } from "./command-line.ts";
import { Site } from "./site.ts";

describe("an upgrade on a cloud that has a bad day", () => {
  let site: Site;
  let runs = 0;

  before(async () => {
    site = await Site.up("sandbox-faults", (config) => {
      config["handover:upgrade"].gateSeconds = 60;
    });
  });
  afterEach(() => clearFaults(get(site.name)));
  after(() => site.down());

  async function upgradeUnder(live: string, faults: readonly Fault[]) {
    site.setGoal(live);
    const traffic = await site.traffic();
    for (const fault of faults) await addFault(get(site.name), fault);
    const driven = await drive(["upgrade", "--stack", site.name]);
    await clearFaults(get(site.name));
    const { failed, failures } = await traffic.stop();
    assert.deepEqual([failed, failures], [0, []]);
    runs++;
    return driven;
  }

  async function ridesOut(live: string, faults: readonly Fault[]): Promise<void> {
    const { exitCode, stdout, stderr } = await upgradeUnder(live, faults);
    assert.equal(exitCode, 0, stdout + stderr);
    const check = { live, frontends: 2, site: `handover-${site.name}`, runs };
    assert.deepEqual(await cloudProblems(check, site.settings), []);
  }

  it("rides out a fifth of the calls throttled, one in twenty failed, and slow answers", () =>
    ridesOut("green", [
      { kind: "throttle", rate: 0.2 },
      { kind: "error", rate: 0.05 },
      { kind: "latency", milliseconds: 300, rate: 0.2 },
    ]));

  it("rides out connections that are cut after the call took effect; nothing is doubled", () =>
    ridesOut("blue", [
      { kind: "drop", operation: "RunInstances", times: 2 },
      { kind: "drop", operation: "AssociateAddress", times: 2 },
      { kind: "drop", operation: "RegisterTargets", times: 2 },
    ]));

  it("goes back with exit code 2 when there is no capacity: the old generation serves, and nothing is left", async () => {
    const { exitCode, last, stdout, stderr } = await upgradeUnder("green", [
      { kind: "capacity", operation: "RunInstances" },
    ]);
    assert.deepEqual([exitCode, last.outcome, last.live], [2, "rolled-back", "blue"], stdout + stderr);
    assert.match(String(last.message), /InsufficientInstanceCapacity/);
    const check = { live: "blue", frontends: 2, site: `handover-${site.name}`, runs };
    assert.deepEqual(await cloudProblems(check, site.settings), []);
  });
});
