import assert from "node:assert/strict";
import {
  AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  DescribeLifecycleHooksCommand,
  DescribeScheduledActionsCommand,
  PutLifecycleHookCommand,
  PutScheduledUpdateGroupActionCommand,
} from "@aws-sdk/client-auto-scaling";
import { eventually } from "../sandbox/support.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

const transition = "autoscaling:EC2_INSTANCE_LAUNCHING";

describe("what belongs to an array", () => {
  let site: Site;
  let scaling: AutoScalingClient;

  before(async () => {
    site = await Site.up("sandbox-array-kept", (config) => {
      const lifecycleHooks = { declared: { lifecycleTransition: transition, heartbeatTimeoutSeconds: 60 } };
      config["handover:generations"].blue.array = { minSize: 1, maxSize: 3, lifecycleHooks };
      config["handover:site"].elasticIps = 0;
    });
    scaling = new AutoScalingClient(site.settings);
    site.setGoal("green");
  });
  after(async () => {
    scaling.destroy();
    await site.down();
  });

  async function groupOf(generation: string): Promise<Partial<AutoScalingGroup>> {
    const AutoScalingGroupName = (await site.status()).generations[generation]?.array?.name ?? "";
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
    return (await scaling.send(command)).AutoScalingGroups?.[0] ?? {};
  }

  it("pauses the run by its name where the new array would not have it, and goes on once that is said to be well", async () => {
    const { AutoScalingGroupName } = await groupOf("blue");
    const hook = { LifecycleHookName: "by-hand", LifecycleTransition: transition };
    await scaling.send(new PutLifecycleHookCommand({ AutoScalingGroupName, ...hook }));
    const plan = await handover("plan", "--stack", site.name);
    assert.match(plan.stdout, /lifecycle hook by-hand of the array of blue would not be in the new one/);
    const paused = await drive(["upgrade", "--stack", site.name]);
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    assert.match(String(paused.last.message), /^suspend-array: array carried over: blue: .*"lifecycle hook by-hand"/);
    site.edit((config) => {
      config["handover:upgrade"].arrayMayLose = ["lifecycle hook by-hand"];
    });
    const waits = await drive(["resume", "--stack", site.name, "--pause-before", "resume-array"]);
    assert.equal(waits.exitCode, 3, waits.stdout + waits.stderr);
    assert.match(String(waits.last.message), /resume-array waits for approval/);
  });

  it("is carried over where it is declared", async () => {
    const { AutoScalingGroupName } = await groupOf("green");
    const { LifecycleHooks = [] } = await scaling.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName }));
    assert.deepEqual(
      LifecycleHooks.map(({ LifecycleHookName, HeartbeatTimeout }) => [LifecycleHookName, HeartbeatTimeout]),
      [["declared", 60]],
    );
  });

  it("is made up for where it is a scheduled action that fell due while the run had suspended it", async () => {
    const { AutoScalingGroupName, DesiredCapacity } = await groupOf("green");
    assert.equal(DesiredCapacity, 1);
    const action = { AutoScalingGroupName, ScheduledActionName: "rush" };
    const next = new Date(Date.now() + 60_000);
    const Recurrence = `${next.getUTCMinutes()} ${next.getUTCHours()} * * *`;
    await scaling.send(
      new PutScheduledUpdateGroupActionCommand({ ...action, Recurrence, MinSize: 2, DesiredCapacity: 3 }),
    );
    const startsLater = async () => {
      const command = new DescribeScheduledActionsCommand({ AutoScalingGroupName });
      const [found] = (await scaling.send(command)).ScheduledUpdateGroupActions ?? [];
      return (found?.StartTime?.getTime() ?? 0) > next.getTime() + 60_000;
    };
    await eventually(startsLater, "the action fell due", 90);
    assert.equal((await groupOf("green")).DesiredCapacity, 1);
    const { exitCode, stdout, stderr, events } = await drive(["resume", "--stack", site.name, "--auto-approve"]);
    assert.equal(exitCode, 0, stdout + stderr);
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.ok(
      warnings.some((warning) => /^scheduled action rush fell due at .* is made up for/.test(warning)),
      warnings.join("\n"),
    );
    const { MinSize, DesiredCapacity: now } = await groupOf("green");
    assert.deepEqual([MinSize, now], [2, 3]);
  });
});
