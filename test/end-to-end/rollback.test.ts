import assert from "node:assert/strict";
import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import { EC2Client, StopInstancesCommand } from "@aws-sdk/client-ec2";
import type { RunEvent } from "../../automation/documents/events.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, run, startDriver } from "./command-line.ts";
import { differences, Site } from "./site.ts";

describe("going back", () => {
  let site: Site;
  let original: { state: unknown; cloud: unknown };

  before(async () => {
    site = await Site.up("sandbox-rollback", (config) => {
      config["handover:generations"].blue.array = { minSize: 1, maxSize: 4 };
    });
    await operate(site);
    site.setGoal("green");
    original = { state: await site.state(), cloud: await site.cloud() };
  });
  after(() => site.down());

  /** The phase to go back from, the one before which the run pauses, and how many updates put the traffic back. */
  const phases: readonly [string, string, number][] = [
    ["migrate", "launch-first", 0],
    ["launch-first", "launch-rest", 0],
    ["launch-rest", "connect", 0],
    ["connect", "suspend-array", 1],
    ["suspend-array", "move-addresses", 1],
    ["move-addresses", "resume-array", 1],
    ["resume-array", "observe", 1],
    ["observe", "drain", 1],
    // The old servers are registered again first, and are healthy before traffic comes to them.
    ["drain", "retire", 2],
  ];

  for (const [phase, next, updates] of phases) {
    it(`from ${phase} leaves state and cloud as they were and loses no request; a refresh finds nothing before and after`, async () => {
      const traffic = await site.traffic();
      const paused = await drive(["upgrade", "--stack", site.name, "--pause-before", next]);
      assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
      await site.hasNoDrift();
      const { exitCode, events, stdout, stderr } = await drive(["rollback", "--stack", site.name], (event) => {
        if (isBack(event)) traffic.mark("back");
      });
      const report = await traffic.stop();
      assert.equal(exitCode, 0, stdout + stderr);
      assert.equal(report.failed, 0, JSON.stringify(report.failures));
      const applied = events.flatMap((event) => (event.type === "applied" ? [event.phase] : []));
      assert.equal(applied.indexOf("withdraw") + 1, updates, applied.join());
      if (updates > 0) assert.deepEqual(Object.keys(report.byPhase.back?.byGeneration ?? {}), ["blue"]);
      assert.deepEqual(differences({ state: await site.state(), cloud: await site.cloud() }, original), []);
      await site.hasNoDrift();
    });
  }

  it("by itself when a new server dies under all traffic: exit code 2, and every request of the old ones is answered", async () => {
    const ec2 = new EC2Client(site.settings);
    const traffic = await site.traffic();
    site.edit((config) => {
      config["handover:upgrade"].bakeSeconds = 60;
    });
    const driver = startDriver(["upgrade", "--stack", site.name], (event) => {
      if (event.type === "phase-started") traffic.mark(event.phase);
      if (isBack(event)) traffic.mark("back");
    });
    await driver.seen("applied", "observe");
    const { generations } = await site.status();
    const victim = generations.green?.frontends[0]?.instanceId ?? "";
    await ec2.send(new StopInstancesCommand({ InstanceIds: [victim] }));
    const { exitCode, stdout, stderr, last } = await driver.ended;
    const report = await traffic.stop();
    ec2.destroy();
    assert.deepEqual([exitCode, last.outcome, last.live], [2, "rolled-back", "blue"], stdout + stderr);
    const failedIn = Object.entries(report.byPhase).flatMap(([phase, { failed }]) => (failed > 0 ? [phase] : []));
    assert.ok(
      failedIn.every((phase) => phase === "observe" || phase === "withdraw"),
      JSON.stringify(report.byPhase),
    );
    assert.ok(report.failures.every(({ generation }) => generation !== "blue"));
    assert.deepEqual(Object.keys(report.byPhase.back?.byGeneration ?? {}), ["blue"]);
    assert.deepEqual(differences({ state: await site.state(), cloud: await site.cloud() }, original), []);
  });
});

/** What an operator and autoscaling have done to the array before the run. */
async function operate(site: Site): Promise<void> {
  const scaling = new AutoScalingClient(site.settings);
  const find = async () => (await scaling.send(new DescribeAutoScalingGroupsCommand({}))).AutoScalingGroups?.[0];
  const AutoScalingGroupName = (await find())?.AutoScalingGroupName;
  await scaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ["AZRebalance"] }));
  await scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 2 }));
  await eventually(async () => {
    const { Instances = [] } = (await find()) ?? {};
    const servers = await Promise.all(Instances.map(({ InstanceId = "" }) => site.server(InstanceId)));
    return servers.length === 2 && servers.every(({ health }) => health.includes("healthy"));
  }, "2 healthy servers in the array");
  scaling.destroy();
  // The stack knows it, too.
  const { exitCode, stderr } = await run(
    "pulumi",
    ["refresh", "--yes", "--skip-preview", "--stack", site.name],
    site.env,
  );
  assert.equal(exitCode, 0, stderr);
}

/** Every node of the load balancer has the weights by then, and every client the addresses. */
function isBack(event: RunEvent): boolean {
  return event.type === "phase-started" && event.phase === "settle";
}
