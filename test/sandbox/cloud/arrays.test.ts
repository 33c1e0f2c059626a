import assert from "node:assert/strict";
import {
  type AutoScalingGroup,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  DeletePolicyCommand,
  DescribeAutoScalingGroupsCommand,
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
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import {
  armImage,
  describe as describeInstance,
  image,
  network,
  reaches,
  targetGroup,
  uniqueName,
  type World,
} from "./world.ts";

describe("The cloud's arrays", () => {
  let cloud: TestCloud;
  let world: World;
  let template: string;
  before(async () => {
    cloud = await cloudForTests({ bootSeconds: 0.5, arrayHealthCheckSeconds: 0.1 });
    world = await network(cloud.ec2);
    const data = { ImageId: image, InstanceType: "t3.micro" } as const;
    const { LaunchTemplate } = await cloud.ec2.send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: "template", LaunchTemplateData: data }),
    );
    template = LaunchTemplate?.LaunchTemplateId ?? "";
    for (const differs of [{ InstanceType: "t3.large" }, { ImageId: armImage }] as const) {
      const LaunchTemplateData = { ...data, ...differs };
      await cloud.ec2.send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateId: template, LaunchTemplateData }));
    }
  });
  after(() => cloud.stop());

  const create = async (DesiredCapacity: number, TargetGroupARNs: string[] = [], Version = "1") => {
    const AutoScalingGroupName = uniqueName("array");
    await cloud.autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName,
        MinSize: 0,
        MaxSize: 5,
        DesiredCapacity,
        LaunchTemplate: { LaunchTemplateId: template, Version },
        VPCZoneIdentifier: world.subnetIds.join(","),
        TargetGroupARNs,
      }),
    );
    return AutoScalingGroupName;
  };
  const find = async (name: string): Promise<AutoScalingGroup | undefined> => {
    const command = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] });
    return (await cloud.autoScaling.send(command)).AutoScalingGroups?.[0];
  };
  const inService = (name: string, count: number) =>
    eventually(async () => {
      const instances = (await find(name))?.Instances ?? [];
      const ready = instances.filter(({ LifecycleState }) => LifecycleState === "InService");
      return instances.length === count && ready.length === count && ready.map(({ InstanceId = "" }) => InstanceId);
    }, `${count} in service`);
  const scale = (AutoScalingGroupName: string, DesiredCapacity: number) =>
    cloud.autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity }));
  const suspend = (AutoScalingGroupName: string, ...ScalingProcesses: string[]) =>
    cloud.autoScaling.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  const resume = (AutoScalingGroupName: string, ...ScalingProcesses: string[]) =>
    cloud.autoScaling.send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses }));
  const group = async (delaySeconds = 0) => {
    const TargetGroupArn = (await targetGroup(cloud.elb, world)).TargetGroupArn ?? "";
    const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: String(delaySeconds) }];
    await cloud.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
    return TargetGroupArn;
  };
  const registered = async (TargetGroupArn: string) => {
    const { TargetHealthDescriptions = [] } = await cloud.elb.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    return TargetHealthDescriptions.map(({ Target, TargetHealth }) => [Target?.Id, TargetHealth?.State]);
  };
  const ids = async (TargetGroupArn: string) => (await registered(TargetGroupArn)).map(([id]) => id).sort();

  it("launch into every zone alike, with private addresses of the subnets, and are pending until they run", async () => {
    const name = await create(4);
    assert.deepEqual(
      (await find(name))?.Instances?.map(({ LifecycleState }) => LifecycleState),
      Array(4).fill("Pending"),
    );
    const instances = await Promise.all((await inService(name, 4)).map((id) => describeInstance(cloud.ec2, id)));
    assert.deepEqual(instances.map(({ SubnetId }) => SubnetId).sort(), [...world.subnetIds, ...world.subnetIds].sort());
    for (const { PrivateIpAddress } of instances) assert.match(PrivateIpAddress ?? "", /^127\.64\.[0-7]\./);
  });

  it("launch from the template's version that they name, and say which", async () => {
    const name = await create(1, [], "2");
    const [id] = await inService(name, 1);
    assert.equal((await describeInstance(cloud.ec2, id)).InstanceType, "t3.large");
    assert.equal((await find(name))?.Instances?.[0]?.LaunchTemplate?.Version, "2");
  });

  it("register what runs, and drain what leaves before it is terminated", async () => {
    const targets = await group(1);
    const name = await create(2, [targets]);
    const both = await inService(name, 2);
    assert.deepEqual(await ids(targets), [...both].sort());
    await scale(name, 1);
    const leaving = (await find(name))?.Instances?.find(({ LifecycleState }) => LifecycleState === "Terminating");
    assert.ok((await registered(targets)).some(([id, state]) => id === leaving?.InstanceId && state === "draining"));
    assert.equal((await describeInstance(cloud.ec2, leaving?.InstanceId)).State?.Name, "running");
    await reaches(cloud.ec2, leaving?.InstanceId, "terminated");
    assert.deepEqual(await ids(targets), await inService(name, 1));
  });

  it("do not launch or terminate while that is suspended, and do when it is resumed", async () => {
    const name = await create(2);
    await inService(name, 2);
    await suspend(name, "Launch", "Terminate");
    await scale(name, 4);
    assert.equal((await find(name))?.Instances?.length, 2);
    await scale(name, 1);
    assert.equal((await find(name))?.Instances?.length, 2);
    await scale(name, 3);
    await resume(name, "Launch");
    await inService(name, 3);
    assert.deepEqual(
      (await find(name))?.SuspendedProcesses?.map(({ ProcessName }) => ProcessName),
      ["Terminate"],
    );
  });

  it("replace an instance that somebody terminated, unless that is suspended", async () => {
    const name = await create(1);
    const [first] = await inService(name, 1);
    await suspend(name, "ReplaceUnhealthy");
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [first ?? ""] }));
    await eventually(async () => (await find(name))?.Instances?.[0]?.HealthStatus === "Unhealthy", "unhealthy");
    await resume(name, "ReplaceUnhealthy");
    const [second] = await inService(name, 1);
    assert.notEqual(second, first);
  });

  it("leave a target group with their instances in service, and do not register while that is suspended", async () => {
    const targets = await group();
    const name = await create(1, [targets]);
    await inService(name, 1);
    await cloud.autoScaling.send(
      new DetachLoadBalancerTargetGroupsCommand({ AutoScalingGroupName: name, TargetGroupARNs: [targets] }),
    );
    assert.deepEqual(await ids(targets), []);
    await inService(name, 1);
    const other = await create(0, [targets]);
    await suspend(other, "AddToLoadBalancer");
    await scale(other, 1);
    await inService(other, 1);
    assert.deepEqual(await ids(targets), []);
  });

  it("have no traffic in standby and after they were detached, and run on", async () => {
    const targets = await group();
    const name = await create(2, [targets]);
    const [first = "", second = ""] = await inService(name, 2);
    const place = { AutoScalingGroupName: name, ShouldDecrementDesiredCapacity: true };
    await cloud.autoScaling.send(new EnterStandbyCommand({ ...place, InstanceIds: [first] }));
    assert.deepEqual([await ids(targets), (await find(name))?.DesiredCapacity], [[second], 1]);
    await cloud.autoScaling.send(new ExitStandbyCommand({ AutoScalingGroupName: name, InstanceIds: [first] }));
    assert.deepEqual(await ids(targets), [first, second].sort());
    await inService(name, 2);
    await cloud.autoScaling.send(new DetachInstancesCommand({ ...place, InstanceIds: [second] }));
    assert.deepEqual([await ids(targets), await inService(name, 1)], [[first], [first]]);
    assert.equal((await describeInstance(cloud.ec2, second)).State?.Name, "running");
  });

  it("have policies and scheduled actions of their own, under names that others have too", async () => {
    const [one, other] = [await create(0), await create(0)];
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
    assert.equal((await find(other))?.DesiredCapacity, 1);
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
    const name = await create(2);
    const update = (MinSize: number, MaxSize: number) =>
      cloud.autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: name, MinSize, MaxSize }));
    await update(1, 5);
    assert.equal((await find(name))?.DesiredCapacity, 2);
    await update(3, 5);
    assert.equal((await find(name))?.DesiredCapacity, 3);
    assert.equal(await errorCode(scale(name, 6)), "ValidationError");
  });

  it("are deleted by force only while they have instances, whatever is suspended, and are gone with them", async () => {
    const name = await create(1);
    const [id] = await inService(name, 1);
    await suspend(name, "Terminate", "Launch");
    const remove = (ForceDelete: boolean) =>
      cloud.autoScaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: name, ForceDelete }));
    assert.match(String(await errorCode(remove(false))), /^ResourceInUse/);
    await remove(true);
    await eventually(async () => (await find(name)) === undefined, "gone");
    await reaches(cloud.ec2, id, "terminated");
  });

  it("tell their activities, and why a launch failed", async () => {
    const activities = async (AutoScalingGroupName: string) => {
      const command = new DescribeScalingActivitiesCommand({ AutoScalingGroupName });
      const { Activities = [] } = await cloud.autoScaling.send(command);
      return Activities.map(({ StatusCode, Description }) => `${StatusCode}: ${Description}`);
    };
    const works = await create(1);
    const [id] = await inService(works, 1);
    assert.deepEqual(await activities(works), [`Successful: Launching a new EC2 instance: ${id}`]);
    const fails = await create(1, [], "3");
    assert.match((await activities(fails))[0] ?? "", /^Failed: Launching a new EC2 instance\. .*architecture/);
    assert.deepEqual((await find(fails))?.Instances, []);
    await scale(fails, 0);
  });
});
