import assert from "node:assert/strict";
import { drive, handover, run } from "./command-line.ts";
import { Site } from "./site.ts";

describe("a paused run that a person goes on with, ends or takes back with pulumi", () => {
  let site: Site;

  before(async () => {
    site = await Site.up("sandbox-ended-by-hand");
  });
  after(() => site.down());

  async function pulumi(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", site.name], site.env);
    assert.equal(exitCode, 0, `pulumi ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }
  async function step(...phases: string[]): Promise<string> {
    let said = "";
    for (const phase of phases) {
      await pulumi("config", "set", "handover:phase", phase);
      said += await pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    }
    return said;
  }
  async function pausedBefore(phase: string): Promise<void> {
    const paused = await drive(["upgrade", "--stack", site.name, "--pause-before", phase]);
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
  }
  async function outcomes(): Promise<unknown[]> {
    const { stdout } = await handover("history", "--stack", site.name, "--json");
    return (JSON.parse(stdout) as { runs: { outcome: unknown }[] }).runs.map(({ outcome }) => outcome);
  }

  it("is on record as reached when it was finished by hand, whatever command comes next", async () => {
    site.setGoal("green");
    await pausedBefore("connect");
    await step("observe", "drain", "retire");
    const rollback = await drive(["rollback", "--stack", site.name]);
    assert.equal(rollback.exitCode, 1, rollback.stdout);
    assert.match(rollback.stdout, /set handover:live to blue.*Next: `handover upgrade --stack/);
    assert.deepEqual(await outcomes(), ["reached"]);
    const upgrade = await drive(["upgrade", "--stack", site.name]);
    assert.deepEqual([upgrade.exitCode, upgrade.last.live], [0, "green"], upgrade.stdout);
    await pulumi("config", "rm", "handover:phase");
  });

  it("is on record as rolled back when it was taken back by hand", async () => {
    site.setGoal("blue");
    await pausedBefore("observe");
    await step("withdraw", "withdraw");
    site.setGoal("green");
    await pulumi("config", "rm", "handover:phase");
    await pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const { exitCode, last, stdout } = await drive(["rollback", "--stack", site.name]);
    assert.deepEqual([exitCode, last.outcome, last.live], [0, "rolled-back", "green"], stdout);
    assert.equal((await outcomes()).filter((outcome) => outcome === "rolled-back").length, 1);
  });

  it("goes on from the phase that it was stepped to by hand, and loses no request", async () => {
    site.setGoal("blue");
    const traffic = await site.traffic();
    await pausedBefore("connect");
    const stepped = await step("connect", "move-addresses");
    const { exitCode, last, stdout, events } = await drive(["resume", "--stack", site.name]);
    const { failed, failures } = await traffic.stop();
    assert.deepEqual([exitCode, last.outcome, last.live], [0, "reached", "blue"], stdout);
    const applied = events.flatMap((event) => (event.type === "applied" ? [event.phase] : []));
    assert.deepEqual([...new Set(applied)], ["move-addresses", "observe", "drain", "retire"]);
    assert.equal(failed, 0, JSON.stringify(failures));
    await pulumi("config", "rm", "handover:phase");
    // The step that gives the traffic away was left out.
    assert.match(stepped, /its servers may not be able to call the Internet/);
    site.excuseWaysOut();
  });
});
