import assert from "node:assert/strict";
import {
  CancelInstanceRefreshCommand,
  DescribeInstanceRefreshesCommand,
  DescribeScheduledActionsCommand,
  DetachInstancesCommand,
  ExecutePolicyCommand,
  PutScalingPolicyCommand,
  PutScheduledUpdateGroupActionCommand,
  SetInstanceHealthCommand,
  StartInstanceRefreshCommand,
} from "@aws-sdk/client-auto-scaling";
import { StopInstancesCommand } from "@aws-sdk/client-ec2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { Arrays } from "./array-world.ts";

describe("The cloud's autoscaling", () => {
  let cloud: TestCloud;
  let arrays: Arrays;
  before(async () => {
    cloud = await cloudForTests({ bootSeconds: 0.2, arrayHealthCheckSeconds: 0.1, scalingMinuteSeconds: 0.01 });
    arrays = await Arrays.in(cloud);
  });
  after(() => cloud.stop());

  const desired = async (name: string) => (await arrays.find(name))?.DesiredCapacity;
  const health = (targetGroupArn: string, state: string, instanceIds: readonly string[]) =>
    cloud.control(
      "POST",
      "target-health",
      instanceIds.map((instanceId) => ({ targetGroupArn, instanceId, port: 8080, state })),
    );
  const healthOf = async (name: string) => (await arrays.find(name))?.Instances?.[0]?.HealthStatus;
  const isGone = (name: string, id: string) =>
    eventually(async () => (await arrays.find(name))?.Instances?.every(({ InstanceId }) => InstanceId !== id), "gone");

  describe("by target tracking of the requests per target", () => {
    const minutes = async (count: number, targetGroupArn: string, requests: number) => {
      for (let minute = 0; minute < count; minute++) {
        const timestamp = Date.now() / 1000;
        await cloud.control("POST", "metrics", [
          { targetGroupArn, timestamp, requests, errors: 0, seconds: [], counts: [] },
        ]);
      }
    };
    /** A group of healthy servers that is to have 60 requests a minute and server: one in each report. */
    const tracking = async (count: number, DisableScaleIn = false) => {
      const targets = await arrays.targetGroup();
      const AutoScalingGroupName = await arrays.create(count, [targets]);
      await cloud.autoScaling.send(
        new PutScalingPolicyCommand({
          AutoScalingGroupName,
          PolicyName: "requests",
          PolicyType: "TargetTrackingScaling",
          EstimatedInstanceWarmup: 0,
          TargetTrackingConfiguration: {
            PredefinedMetricSpecification: {
              PredefinedMetricType: "ALBRequestCountPerTarget",
              ResourceLabel: `app/site/0123456789abcdef/${targets.split(":").at(-1)}`,
            },
            TargetValue: 60,
            DisableScaleIn,
          },
        }),
      );
      await health(targets, "healthy", await arrays.inService(AutoScalingGroupName, count));
      return { name: AutoScalingGroupName, targets };
    };

    it("scale out in proportion after three minutes above the target, within the sizes", async () => {
      const { name, targets } = await tracking(1);
      await minutes(2, targets, 3);
      assert.equal(await desired(name), 1);
      await minutes(1, targets, 3);
      assert.equal(await desired(name), 3);
      await health(targets, "healthy", await arrays.inService(name, 3));
      await minutes(3, targets, 100);
      assert.equal(await desired(name), 5);
    });

    it("scale in one by one after fifteen minutes below, unless that is disabled", async () => {
      const groups = [await tracking(3), await tracking(3, true)];
      for (const { targets } of groups) await minutes(14, targets, 1);
      assert.deepEqual(await Promise.all(groups.map(({ name }) => desired(name))), [3, 3]);
      for (const { targets } of groups) await minutes(1, targets, 1);
      assert.deepEqual(await Promise.all(groups.map(({ name }) => desired(name))), [2, 3]);
    });

    it("change nothing while AlarmNotification is suspended, and act on what is still so afterwards", async () => {
      const { name, targets } = await tracking(1);
      await arrays.suspend(name, "AlarmNotification");
      await minutes(5, targets, 2);
      assert.equal(await desired(name), 1);
      await arrays.resume(name, "AlarmNotification");
      await minutes(1, targets, 2);
      assert.equal(await desired(name), 2);
    });
  });

  it("takes the step of a policy that fits the metric's distance from its threshold", async () => {
    const AutoScalingGroupName = await arrays.create(1);
    const PolicyName = "steps";
    await cloud.autoScaling.send(
      new PutScalingPolicyCommand({
        AutoScalingGroupName,
        PolicyName,
        PolicyType: "StepScaling",
        AdjustmentType: "ChangeInCapacity",
        StepAdjustments: [
          { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 20, ScalingAdjustment: 1 },
          { MetricIntervalLowerBound: 20, ScalingAdjustment: 3 },
        ],
      }),
    );
    const execute = (MetricValue: number) =>
      cloud.autoScaling.send(
        new ExecutePolicyCommand({ AutoScalingGroupName, PolicyName, MetricValue, BreachThreshold: 50 }),
      );
    await execute(60);
    assert.equal(await desired(AutoScalingGroupName), 2);
    await execute(70);
    assert.equal(await desired(AutoScalingGroupName), 5);
  });

  describe("by scheduled actions", () => {
    const schedule = (
      AutoScalingGroupName: string,
      when: { StartTime?: Date; Recurrence?: string; TimeZone?: string },
    ) =>
      cloud.autoScaling.send(
        new PutScheduledUpdateGroupActionCommand({
          AutoScalingGroupName,
          ScheduledActionName: "action",
          MinSize: 1,
          DesiredCapacity: 2,
          ...when,
        }),
      );
    const actions = async (AutoScalingGroupName: string) =>
      (await cloud.autoScaling.send(new DescribeScheduledActionsCommand({ AutoScalingGroupName })))
        .ScheduledUpdateGroupActions ?? [];

    it("changes the sizes when the time comes, once, and not while ScheduledActions is suspended", async () => {
      const [acts, suspended] = [await arrays.create(0), await arrays.create(0)];
      await arrays.suspend(suspended, "ScheduledActions");
      for (const name of [acts, suspended]) await schedule(name, { StartTime: new Date(Date.now() + 300) });
      assert.equal(await desired(acts), 0);
      await arrays.inService(acts, 2);
      assert.equal((await arrays.find(acts))?.MinSize, 1);
      await eventually(async () => (await actions(suspended)).length === 0, "over");
      await arrays.resume(suspended, "ScheduledActions");
      assert.deepEqual([(await actions(acts)).length, await desired(suspended)], [0, 0]);
    });

    it("tells the next time of an action that recurs, in its time zone", async () => {
      const name = await arrays.create(0);
      const next = async (Recurrence: string, TimeZone?: string) => {
        await schedule(name, { Recurrence, ...(TimeZone !== undefined && { TimeZone }) });
        const [action] = await actions(name);
        assert.ok(action?.StartTime !== undefined && action.StartTime > new Date());
        return action.StartTime;
      };
      assert.match((await next("30 22 * * *")).toISOString(), /T22:30:00/);
      const monday = await next("5 7 * * MON", "Asia/Tokyo");
      assert.deepEqual([monday.getUTCDay(), monday.getUTCHours(), monday.getUTCMinutes()], [0, 22, 5]);
      const either = await next("0 */12 1,15 * 0");
      assert.ok(either.getUTCDay() === 0 || [1, 15].includes(either.getUTCDate()), String(either));
      assert.equal(await errorCode(schedule(name, { Recurrence: "61 * * * *" })), "ValidationError");
    });
  });

  describe("by health", () => {
    const one = async (HealthCheckType: "ELB" | "EC2", HealthCheckGracePeriod = 0) => {
      const targets = await arrays.targetGroup();
      const name = await arrays.create(1, [targets], "1", { HealthCheckType, HealthCheckGracePeriod });
      const [id = ""] = await arrays.inService(name, 1);
      return { name, id, fail: () => health(targets, "unhealthy", [id]) };
    };

    it("replaces what the load balancer finds unhealthy when the group asks for that", async () => {
      const [asks, asksNot] = [await one("ELB"), await one("EC2")];
      await asksNot.fail();
      await asks.fail();
      await isGone(asks.name, asks.id);
      await arrays.inService(asks.name, 1);
      assert.deepEqual(await arrays.inService(asksNot.name, 1), [asksNot.id]);
    });

    it("waits for the end of the grace period", async () => {
      const { name, id, fail } = await one("ELB", 7200);
      await fail();
      assert.equal(await healthOf(name), "Healthy");
      await isGone(name, id);
    });

    it("replaces what does not run, and what somebody calls unhealthy", async () => {
      const [stopped, called] = [await one("EC2"), await one("EC2")];
      await cloud.ec2.send(new StopInstancesCommand({ InstanceIds: [stopped.id] }));
      await cloud.autoScaling.send(new SetInstanceHealthCommand({ InstanceId: called.id, HealthStatus: "Unhealthy" }));
      for (const { name, id } of [stopped, called]) await isGone(name, id);
    });

    it("marks but does not replace while ReplaceUnhealthy or Terminate is suspended, and does afterwards", async () => {
      for (const process of ["ReplaceUnhealthy", "Terminate"]) {
        const { name, id, fail } = await one("ELB");
        await arrays.suspend(name, process);
        await fail();
        assert.equal(await healthOf(name), "Unhealthy");
        assert.deepEqual(await arrays.inService(name, 1), [id]);
        await arrays.resume(name, process);
        await isGone(name, id);
      }
    });

    it("terminates and launches nothing instead while Launch is suspended, and does afterwards", async () => {
      const { name, fail } = await one("ELB");
      await arrays.suspend(name, "Launch");
      await fail();
      await arrays.inService(name, 0);
      await arrays.resume(name, "Launch");
      await arrays.inService(name, 1);
    });

    it("does not look while HealthCheck is suspended", async () => {
      const { name, id, fail } = await one("ELB");
      await arrays.suspend(name, "HealthCheck");
      await fail();
      assert.deepEqual([await healthOf(name), await arrays.inService(name, 1)], ["Healthy", [id]]);
    });
  });

  it("balances the zones again, launching first, unless AZRebalance is suspended", async () => {
    const name = await arrays.create(4);
    await arrays.inService(name, 4);
    const zones = async () =>
      ((await arrays.find(name))?.Instances ?? [])
        .filter(({ LifecycleState }) => LifecycleState === "InService")
        .map(({ AvailabilityZone }) => AvailabilityZone);
    const [zone] = await zones();
    const InstanceIds = ((await arrays.find(name))?.Instances ?? []).flatMap(({ AvailabilityZone, InstanceId = [] }) =>
      AvailabilityZone === zone ? InstanceId : [],
    );
    await arrays.suspend(name, "AZRebalance");
    const AutoScalingGroupName = name;
    await cloud.autoScaling.send(
      new DetachInstancesCommand({ AutoScalingGroupName, InstanceIds, ShouldDecrementDesiredCapacity: true }),
    );
    assert.equal(new Set(await zones()).size, 1);
    await arrays.resume(name, "AZRebalance");
    await eventually(async () => {
      const now = await zones();
      assert.ok(now.length >= 2);
      return new Set(now).size === 2;
    }, "balanced");
    await arrays.inService(name, 2);
  });

  it("refreshes its instances batch by batch, and waits while InstanceRefresh is suspended", async () => {
    const AutoScalingGroupName = await arrays.create(3);
    const before = await arrays.inService(AutoScalingGroupName, 3);
    const refresh = () => cloud.autoScaling.send(new StartInstanceRefreshCommand({ AutoScalingGroupName }));
    const last = async () =>
      (await cloud.autoScaling.send(new DescribeInstanceRefreshesCommand({ AutoScalingGroupName })))
        .InstanceRefreshes?.[0];
    await arrays.suspend(AutoScalingGroupName, "InstanceRefresh");
    await refresh();
    await eventually(async () => (await last())?.Status === "InProgress", "in progress");
    assert.match(await errorCode(refresh()), /^InstanceRefreshInProgress/);
    assert.deepEqual(await arrays.inService(AutoScalingGroupName, 3), before);
    await arrays.resume(AutoScalingGroupName, "InstanceRefresh");
    await eventually(async () => {
      const serving = (await arrays.find(AutoScalingGroupName))?.Instances?.filter(
        ({ LifecycleState }) => LifecycleState === "InService",
      );
      assert.ok((serving?.length ?? 0) >= 2);
      return (await last())?.Status === "Successful";
    }, "successful");
    assert.deepEqual([(await last())?.PercentageComplete, (await last())?.InstancesToUpdate], [100, 0]);
    const after = await arrays.inService(AutoScalingGroupName, 3);
    assert.ok(before.every((id) => !after.includes(id)));
    await arrays.suspend(AutoScalingGroupName, "InstanceRefresh");
    await refresh();
    await cloud.autoScaling.send(new CancelInstanceRefreshCommand({ AutoScalingGroupName }));
    await eventually(async () => (await last())?.Status === "Cancelled", "cancelled");
  });
});
