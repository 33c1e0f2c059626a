import assert from "node:assert/strict";
import {
  DeleteAutoScalingGroupCommand,
  DeletePolicyCommand,
  DescribePoliciesCommand,
  DescribeScalingActivitiesCommand,
  DescribeScheduledActionsCommand,
  DetachInstancesCommand,
  DetachLoadBalancerTargetGroupsCommand,
  EnterStandbyCommand,
  ExecutePolicyCommand,
  ExitStandbyCommand,
  PutScalingPolicyCommand,
  PutScheduledUpdateGroupActionCommand,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { Arrays } from "./array-world.ts";
import { describe as describeInstance, reaches } from "./world.ts";

describe("The cloud's arrays", () => {
  let cloud: TestCloud;
  let arrays: Arrays;
  before(async () => {
    cloud = await cloudForTests({ bootSeconds: 0.5, arrayHealthCheckSeconds: 0.1 });
    arrays = await Arrays.in(cloud);
  });
  after(() => cloud.stop());

  it("launch into every zone alike, with private addresses of the subnets, and are pending until they run", async () => {
    const name = await arrays.create(4);
    assert.deepEqual(
      (await arrays.find(name))?.Instances?.map(({ LifecycleState }) => LifecycleState),
      Array(4).fill("Pending"),
    );
    const instances = await Promise.all((await arrays.inService(name, 4)).map((id) => describeInstance(cloud.ec2, id)));
    assert.deepEqual(
      instances.map(({ SubnetId }) => SubnetId).sort(),
      [...arrays.world.subnetIds, ...arrays.world.subnetIds].sort(),
    );
    for (const { PrivateIpAddress } of instances) assert.match(PrivateIpAddress ?? "", /^127\.64\.[0-7]\./);
  });

  it("launch from the template's version that they name, and say which", async () => {
    const name = await arrays.create(1, [], "2");
    const [id] = await arrays.inService(name, 1);
    assert.equal((await describeInstance(cloud.ec2, id)).InstanceType, "t3.large");
    assert.equal((await arrays.find(name))?.Instances?.[0]?.LaunchTemplate?.Version, "2");
  });

  it("tell of each where its launches go", async () => {
    const group = await arrays.find(await arrays.create(0));
    assert.deepEqual(
      [group?.AvailabilityZoneDistribution, group?.CapacityReservationSpecification],
      [{ CapacityDistributionStrategy: "balanced-best-effort" }, { CapacityReservationPreference: "default" }],
    );
  });

  it("register what runs, and drain what leaves before it is terminated", async () => {
    const targets = await arrays.targetGroup(1);
    const name = await arrays.create(2, [targets]);
    const both = await arrays.inService(name, 2);
    assert.deepEqual(await arrays.ids(targets), [...both].sort());
    await arrays.scale(name, 1);
    const leaving = (await arrays.find(name))?.Instances?.find(
      ({ LifecycleState }) => LifecycleState === "Terminating",
    );
    assert.ok(
      (await arrays.registered(targets)).some(([id, state]) => id === leaving?.InstanceId && state === "draining"),
    );
    assert.equal((await describeInstance(cloud.ec2, leaving?.InstanceId)).State?.Name, "running");
    await reaches(cloud.ec2, leaving?.InstanceId, "terminated");
    assert.deepEqual(await arrays.ids(targets), await arrays.inService(name, 1));
  });

  it("do not launch or terminate while that is suspended, and do when it is resumed", async () => {
    const name = await arrays.create(2);
    await arrays.inService(name, 2);
    await arrays.suspend(name, "Launch", "Terminate");
    await arrays.scale(name, 4);
    assert.equal((await arrays.find(name))?.Instances?.length, 2);
    await arrays.scale(name, 1);
    assert.equal((await arrays.find(name))?.Instances?.length, 2);
    await arrays.scale(name, 3);
    await arrays.resume(name, "Launch");
    await arrays.inService(name, 3);
    assert.deepEqual(
      (await arrays.find(name))?.SuspendedProcesses?.map(({ ProcessName }) => ProcessName),
      ["Terminate"],
    );
  });

  it("replace an instance that somebody terminated, unless that is suspended", async () => {
    const name = await arrays.create(1);
    const [first] = await arrays.inService(name, 1);
    await arrays.suspend(name, "ReplaceUnhealthy");
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [first ?? ""] }));
    await eventually(async () => (await arrays.find(name))?.Instances?.[0]?.HealthStatus === "Unhealthy", "unhealthy");
    await arrays.resume(name, "ReplaceUnhealthy");
    const [second] = await arrays.inService(name, 1);
    assert.notEqual(second, first);
  });

  it("leave a target group with their instances in service, and are not registered, then or later, when they were launched while that is suspended", async () => {
    const targets = await arrays.targetGroup();
    const name = await arrays.create(1, [targets]);
    await arrays.inService(name, 1);
    await cloud.autoScaling.send(
      new DetachLoadBalancerTargetGroupsCommand({ AutoScalingGroupName: name, TargetGroupARNs: [targets] }),
    );
    assert.deepEqual(await arrays.ids(targets), []);
    await arrays.inService(name, 1);
    const other = await arrays.create(0, [targets]);
    await arrays.suspend(other, "AddToLoadBalancer");
    await arrays.scale(other, 1);
    await arrays.inService(other, 1);
    await arrays.resume(other, "AddToLoadBalancer");
    assert.deepEqual(await arrays.ids(targets), []);
  });

  it("have no traffic in standby and after they were detached, and run on", async () => {
    const targets = await arrays.targetGroup();
    const name = await arrays.create(2, [targets]);
    const [first = "", second = ""] = await arrays.inService(name, 2);
    const place = { AutoScalingGroupName: name, ShouldDecrementDesiredCapacity: true };
    await cloud.autoScaling.send(new EnterStandbyCommand({ ...place, InstanceIds: [first] }));
    assert.deepEqual([await arrays.ids(targets), (await arrays.find(name))?.DesiredCapacity], [[second], 1]);
    await cloud.autoScaling.send(new ExitStandbyCommand({ AutoScalingGroupName: name, InstanceIds: [first] }));
    assert.deepEqual(await arrays.ids(targets), [first, second].sort());
    await arrays.inService(name, 2);
    await cloud.autoScaling.send(new DetachInstancesCommand({ ...place, InstanceIds: [second] }));
    assert.deepEqual([await arrays.ids(targets), await arrays.inService(name, 1)], [[first], [first]]);
    assert.equal((await describeInstance(cloud.ec2, second)).State?.Name, "running");
  });

  it("have policies and scheduled actions of their own, under names that others have too", async () => {
    const [one, other] = [await arrays.create(0), await arrays.create(0)];
    for (const AutoScalingGroupName of [one, other]) {
      const policy = { PolicyType: "SimpleScaling", AdjustmentType: "ChangeInCapacity", ScalingAdjustment: 1 };
      await cloud.autoScaling.send(
        new PutScalingPolicyCommand({ AutoScalingGroupName, PolicyName: "more", ...policy }),
      );
      await cloud.autoScaling.send(
        new PutScheduledUpdateGroupActionCommand({ AutoScalingGroupName, ScheduledActionName: "night", MaxSize: 1 }),
      );
    }
    const left = async (AutoScalingGroupName: string) => {
      const policies = await cloud.autoScaling.send(new DescribePoliciesCommand({ AutoScalingGroupName }));
      const actions = await cloud.autoScaling.send(new DescribeScheduledActionsCommand({ AutoScalingGroupName }));
      return [policies.ScalingPolicies?.length, actions.ScheduledUpdateGroupActions?.length];
    };
    await cloud.autoScaling.send(new DeletePolicyCommand({ AutoScalingGroupName: one, PolicyName: "more" }));
    assert.deepEqual(
      [await left(one), await left(other)],
      [
        [0, 1],
        [1, 1],
      ],
    );
    await cloud.autoScaling.send(new ExecutePolicyCommand({ AutoScalingGroupName: other, PolicyName: "more" }));
    assert.equal((await arrays.find(other))?.DesiredCapacity, 1);
    await cloud.autoScaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: one }));
    assert.deepEqual(
      [await left(one), await left(other)],
      [
        [0, 0],
        [1, 1],
      ],
    );
  });

  it("keep their capacity when an update does not state it, within the sizes", async () => {
    const name = await arrays.create(2);
    const update = (MinSize: number, MaxSize: number) =>
      cloud.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: name, MinSize, MaxSize }));
    await update(1, 5);
    assert.equal((await arrays.find(name))?.DesiredCapacity, 2);
    await update(3, 5);
    assert.equal((await arrays.find(name))?.DesiredCapacity, 3);
    assert.equal(await errorCode(arrays.scale(name, 6)), "ValidationError");
  });

  it("are deleted by force only while they have instances, whatever is suspended, and are gone with them", async () => {
    const name = await arrays.create(1);
    const [id] = await arrays.inService(name, 1);
    await arrays.suspend(name, "Terminate", "Launch");
    const remove = (ForceDelete: boolean) =>
      cloud.autoScaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: name, ForceDelete }));
    assert.match(String(await errorCode(remove(false))), /^ResourceInUse/);
    await remove(true);
    await eventually(async () => (await arrays.find(name)) === undefined, "gone");
    await reaches(cloud.ec2, id, "terminated");
  });

  it("tell their activities, and why a launch failed", async () => {
    const activities = async (AutoScalingGroupName: string) => {
      const command = new DescribeScalingActivitiesCommand({ AutoScalingGroupName });
      const { Activities = [] } = await cloud.autoScaling.send(command);
      return Activities.map(({ StatusCode, Description }) => `${StatusCode}: ${Description}`);
    };
    const works = await arrays.create(1);
    const [id] = await arrays.inService(works, 1);
    assert.deepEqual(await activities(works), [`Successful: Launching a new EC2 instance: ${id}`]);
    const fails = await arrays.create(1, [], "3");
    assert.match((await activities(fails))[0] ?? "", /^Failed: Launching a new EC2 instance\. .*architecture/);
    assert.deepEqual((await arrays.find(fails))?.Instances, []);
    await arrays.scale(fails, 0);
  });
});
