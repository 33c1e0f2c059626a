import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cloudProblems } from "../../sandbox/chaos/cloud-check.ts";
import { childOf } from "../../sandbox/chaos/driver-process.ts";
import { addFault, clearFaults, type Fault } from "../../sandbox/faults.ts";
import { get } from "../../sandbox/sandbox.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, run, startDriver } from "./command-line.ts";
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
    runs++;
    const driven = await drive(["upgrade", "--stack", site.name]);
    await clearFaults(get(site.name));
    const { failed, failures } = await traffic.stop();
    assert.equal(failed, 0, JSON.stringify(failures));
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

  /** What a full disk leaves of a state and of a lock that the engine wanted to write. */
  function fillDisk(): void {
    const directory = join(fileURLToPath(site.env.PULUMI_BACKEND_URL ?? ""), ".pulumi");
    const state = join(directory, "stacks", "handover", `${site.name}.json`);
    renameSync(state, `${state}.bak`);
    writeFileSync(state, "");
    writeFileSync(join(directory, "locks", "organization", "handover", site.name, "lock.json.tmp"), "");
  }

  it("adopts what a provider that was killed had asked for, secrets too, on a disk that was full: nothing is doubled, replaced or given up", async () => {
    const path = "handover:generations.green.inputs.TOKEN";
    await run("pulumi", ["config", "set", "--secret", "--path", path, "a secret", "--stack", site.name], site.env);
    site.setGoal("green");
    const asked = ["elasticloadbalancing.CreateTargetGroup", "ec2.CreateLaunchTemplate", "ec2.RunInstances"];
    const countOf = async () => {
      const calls = await site.calls();
      return asked.map((call) => calls[call] ?? 0);
    };
    const before = await countOf();
    for (const call of asked) {
      const [, operation = ""] = call.split(".");
      await addFault(get(site.name), { kind: "latency", operation, milliseconds: 2000, times: 1 });
    }
    const driver = startDriver(["upgrade", "--stack", site.name]);
    const isAsked = async () => (await countOf()).every((count, index) => count > (before[index] ?? 0));
    // Before its first phase a run looks at the site.
    await eventually(isAsked, "all three to be asked for", 60);
    process.kill(childOf(get(site.name).processes.provider ?? 0) ?? 0, "SIGKILL");
    const killed = await driver.ended;
    assert.equal(killed.exitCode, 3, killed.stdout);
    const warnings = killed.events.flatMap((event) => (event.type === "warning" ? event.message : []));
    assert.equal(
      warnings.filter((message) => / is adopted as green/.test(message)).length,
      asked.length,
      killed.stdout,
    );
    const aborted = await drive(["abort", "--stack", site.name]);
    assert.equal(aborted.exitCode, 1, aborted.stdout);
    assert.match(aborted.stdout, /too-late-to-abort/);
    fillDisk();
    runs++;
    const { exitCode, stdout, events } = await drive(["resume", "--stack", site.name]);
    assert.equal(exitCode, 0, stdout);
    const [plan] = events.filter((event) => event.type === "plan");
    assert.deepEqual(
      plan?.operations.filter(({ op, type }) => op !== "update" && !type.includes("Attachment")),
      [],
    );
    const check = { live: "green", frontends: 2, site: `handover-${site.name}`, runs };
    assert.deepEqual(await cloudProblems(check, site.settings), []);
  });
});
