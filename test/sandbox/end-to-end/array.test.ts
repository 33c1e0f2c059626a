import assert from "node:assert/strict";
import {
  AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import type { Traffic } from "../../../sandbox/traffic/traffic.ts";
import { drive, handover, startDriver } from "./command-line.ts";
import { Site } from "./site.ts";

describe("an upgrade with an array", () => {
  let site: Site;
  let scaling: AutoScalingClient;
  let traffic: Traffic;
  before(async () => {
    site = await Site.up("sandbox-array", (config) => {
      config["handover:generations"].blue.array = { minSize: 2, maxSize: 6 };
      config["handover:upgrade"].pauseBefore = ["observe"];
    });
    scaling = new AutoScalingClient(site.settings);
    const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", site.name, "--json");
    assert.equal(exitCode, 0, stdout + stderr);
    await scale("blue", 3);
    await scaling.send(
      new SuspendProcessesCommand({
        AutoScalingGroupName: await nameOf("blue"),
        ScalingProcesses: ["AZRebalance"],
      }),
    );
    traffic = await site.traffic(100);
    site.setGoal("green");
  });
  after(async () => {
    scaling?.destroy();
    await site?.down();
  });

  const groups = async (): Promise<readonly AutoScalingGroup[]> =>
    (await scaling.send(new DescribeAutoScalingGroupsCommand({}))).AutoScalingGroups ?? [];
  const groupOf = async (generation: string): Promise<AutoScalingGroup | undefined> =>
    (await groups()).find(({ Tags }) =>
      Tags?.some(({ Key, Value }) => Key === "handover:generation" && Value === generation),
    );
  const nameOf = async (generation: string) => (await groupOf(generation))?.AutoScalingGroupName ?? "";
  const scale = async (generation: string, DesiredCapacity: number) =>
    scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: await nameOf(generation), DesiredCapacity }));
  const sizeOf = async (generation: string) => {
    const group = await groupOf(generation);
    const suspended = (group?.SuspendedProcesses ?? []).map(({ ProcessName = "" }) => ProcessName).sort();
    return { desired: group?.DesiredCapacity, servers: group?.Instances?.length, suspended };
  };
  const asLeft = { desired: 3, servers: 3, suspended: ["AZRebalance"] };

  it("begins with as many servers as the old one has, and enables them with what an operator had suspended", async () => {
    const { exitCode, stdout } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 3, stdout);
    assert.deepEqual(await sizeOf("green"), asLeft);
    const all = ["AZRebalance", "AlarmNotification", "Launch", "ReplaceUnhealthy", "ScheduledActions", "Terminate"];
    assert.deepEqual(await sizeOf("blue"), { ...asLeft, suspended: all });
  });

  it("restores the old array exactly when it goes back from there", async () => {
    const { exitCode, stdout } = await drive(["rollback", "--stack", site.name]);
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual(await sizeOf("blue"), asLeft);
    assert.equal(await groupOf("green"), undefined);
  });

  it("does not revert what autoscaling did in between, and removes the old array with its servers", async () => {
    const driver = startDriver(["upgrade", "--stack", site.name, "--auto-approve"]);
    await driver.seen("phase-started", "observe");
    await scale("green", 4);
    const { exitCode, stdout } = await driver.ended;
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual(await sizeOf("green"), { ...asLeft, desired: 4, servers: 4 });
    assert.equal((await groups()).length, 1);
  });

  it("loses no request, and a plain update finds nothing to do", async () => {
    const report = await traffic.stop();
    assert.equal(report.failed, 0, JSON.stringify(report.failures.slice(0, 5)));
    const { exitCode, stdout } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /"operations":\[\]/);
    assert.deepEqual(await sizeOf("green"), { ...asLeft, desired: 4, servers: 4 });
  });
});
