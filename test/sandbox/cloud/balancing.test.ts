import assert from "node:assert/strict";
import { StopInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import {
  type Action,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DeregisterTargetsCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ModifyListenerCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { launch, loadBalancer, network, reaches, running, targetGroup, uniqueName, type World } from "./world.ts";

describe("The cloud's load balancing", () => {
  let cloud: TestCloud;
  let world: World;
  let balancer: string;
  let nextPort = 8000;
  before(async () => {
    cloud = await cloudForTests();
    world = await network(cloud.ec2);
    balancer = await loadBalancer(cloud.elb, world);
  });
  after(() => cloud.stop());

  const group = async () => (await targetGroup(cloud.elb, world)).TargetGroupArn ?? "";
  const forward = (...groups: [arn: string, weight: number][]): Action => ({
    Type: "forward",
    ForwardConfig: { TargetGroups: groups.map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })) },
  });
  const listen = async (action: Action, Port = nextPort++) => {
    const { Listeners } = await cloud.elb.send(
      new CreateListenerCommand({ LoadBalancerArn: balancer, Port, Protocol: "HTTP", DefaultActions: [action] }),
    );
    return Listeners?.[0]?.ListenerArn ?? "";
  };
  const server = () => running(cloud.ec2, { SubnetId: world.subnetIds[0] });
  const register = (TargetGroupArn: string, Id = "") =>
    cloud.elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }));
  const deregister = (TargetGroupArn: string, Id = "") =>
    cloud.elb.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }));
  const health = async (TargetGroupArn: string, Id?: string) => {
    const { TargetHealthDescriptions } = await cloud.elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn, ...(Id !== undefined && { Targets: [{ Id }] }) }),
    );
    return (TargetHealthDescriptions ?? []).map(({ TargetHealth }) => [TargetHealth?.State, TargetHealth?.Reason]);
  };
  const attribute = (TargetGroupArn: string, Key: string, Value: string) =>
    cloud.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes: [{ Key, Value }] }));
  const report = (targetGroupArn: string, instanceId: string | undefined, state: string, reason?: string) =>
    cloud.control("POST", "target-health", [{ targetGroupArn, instanceId, port: 8080, state, reason }]);

  it("provisions a load balancer before it is active, and its name says the addresses of its nodes", async () => {
    const LoadBalancerArn = await loadBalancer(cloud.elb, world);
    const seen = new Set<string | undefined>();
    const active = await eventually(async () => {
      const { LoadBalancers } = await cloud.elb.send(
        new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] }),
      );
      seen.add(LoadBalancers?.[0]?.State?.Code);
      return LoadBalancers?.[0]?.State?.Code === "active" && LoadBalancers[0];
    });
    assert.deepEqual([...seen], ["provisioning", "active"]);
    const prefix = cloud.slot.loadBalancerPool.split(".").slice(0, 2).join("-");
    assert.match(active.DNSName ?? "", new RegExp(`^n6-${prefix}-0-\\d+\\.elb\\.localhost$`));
  });

  it("needs two zones, and uses the VPC's default security group if none is named", async () => {
    const one = new CreateLoadBalancerCommand({ Name: uniqueName("one-zone"), Subnets: [world.subnetIds[0]] });
    assert.equal(await errorCode(cloud.elb.send(one)), "ValidationError");
    const { LoadBalancers } = await cloud.elb.send(
      new CreateLoadBalancerCommand({ Name: uniqueName("default-group"), Subnets: [...world.subnetIds] }),
    );
    assert.equal(LoadBalancers?.[0]?.SecurityGroups?.length, 1);
  });

  it("creates load balancer, target group and listener once when the same call comes again", async () => {
    const input = { Name: uniqueName("twice"), Subnets: [...world.subnetIds] };
    const create = async (settings = input) =>
      (await cloud.elb.send(new CreateLoadBalancerCommand(settings))).LoadBalancers?.[0]?.LoadBalancerArn;
    assert.equal(await create(), await create());
    const internal = { ...input, Scheme: "internal" as const };
    assert.equal(await errorCode(create(internal)), "DuplicateLoadBalancerNameException");
    const named = { Name: uniqueName("twice"), Protocol: "HTTP" as const, Port: 80, VpcId: world.vpcId };
    const createGroup = async (settings = named) =>
      (await cloud.elb.send(new CreateTargetGroupCommand(settings))).TargetGroups?.[0]?.TargetGroupArn;
    assert.equal(await createGroup(), await createGroup());
    assert.equal(await errorCode(createGroup({ ...named, Port: 81 })), "DuplicateTargetGroupNameException");
    const [first, second] = [await group(), await group()];
    const port = nextPort++;
    assert.equal(await listen(forward([first, 1]), port), await listen(forward([first, 1]), port));
    assert.equal(await errorCode(listen(forward([second, 1]), port)), "DuplicateListenerException");
  });

  it("keeps a load balancer that is protected, and a target group that is in use", async () => {
    const LoadBalancerArn = await loadBalancer(cloud.elb, world);
    const protect = (Value: string) =>
      cloud.elb.send(
        new ModifyLoadBalancerAttributesCommand({
          LoadBalancerArn,
          Attributes: [{ Key: "deletion_protection.enabled", Value }],
        }),
      );
    await protect("true");
    const remove = () => errorCode(cloud.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn })));
    assert.equal(await remove(), "OperationNotPermittedException");
    await protect("false");
    assert.equal(await remove(), "none");
    const TargetGroupArn = await group();
    await listen(forward([TargetGroupArn, 1]));
    const removeGroup = cloud.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn }));
    assert.equal(await errorCode(removeGroup), "ResourceInUseException");
  });

  it("takes weights from 0 to 999, at creation and at every change", async () => {
    const [blue, green] = [await group(), await group()];
    assert.equal(await errorCode(listen(forward([blue, 1000]))), "ValidationError");
    const ListenerArn = await listen(forward([blue, 100], [green, 0]));
    const modify = (action: Action) =>
      cloud.elb.send(new ModifyListenerCommand({ ListenerArn, DefaultActions: [action] }));
    assert.equal(await errorCode(modify(forward([blue, 5000], [green, 0]))), "ValidationError");
    const { Listeners } = await modify(forward([blue, 0], [green, 999]));
    const weights = Listeners?.[0]?.DefaultActions?.[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight);
    assert.deepEqual(weights, [0, 999]);
  });

  it("lists rules by priority, the default one last", async () => {
    const TargetGroupArn = await group();
    const ListenerArn = await listen(forward([TargetGroupArn, 1]));
    for (const Priority of [20, 3, 100]) {
      await cloud.elb.send(
        new CreateRuleCommand({
          ListenerArn,
          Priority,
          Conditions: [{ Field: "host-header", HostHeaderConfig: { Values: [`${Priority}.example.com`] } }],
          Actions: [forward([TargetGroupArn, 1])],
        }),
      );
    }
    const { Rules } = await cloud.elb.send(new DescribeRulesCommand({ ListenerArn }));
    assert.deepEqual(
      Rules?.map(({ Priority }) => Priority),
      ["3", "20", "100", "default"],
    );
  });

  it("shows the load balancer of a target group as long as a rule names the group", async () => {
    const [blue, green] = [await group(), await group()];
    const ListenerArn = await listen(forward([blue, 1], [green, 0]));
    const balancersOf = async (arn: string) =>
      (await cloud.elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }))).TargetGroups?.[0]
        ?.LoadBalancerArns;
    assert.deepEqual(await balancersOf(green), [balancer]);
    await cloud.elb.send(new ModifyListenerCommand({ ListenerArn, DefaultActions: [forward([blue, 1])] }));
    assert.deepEqual(await balancersOf(green), []);
    assert.deepEqual(await balancersOf(blue), [balancer]);
  });

  it("has the attributes of AWS by default, and takes the values that AWS takes", async () => {
    const TargetGroupArn = await group();
    await attribute(TargetGroupArn, "deregistration_delay.timeout_seconds", "3600");
    assert.equal(await errorCode(attribute(TargetGroupArn, "slow_start.duration_seconds", "10")), "ValidationError");
    assert.equal(
      await errorCode(attribute(TargetGroupArn, "deregistration_delay.timeout_seconds", "3601")),
      "ValidationError",
    );
    const { Attributes } = await cloud.elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
    const values = Object.fromEntries((Attributes ?? []).map(({ Key, Value }) => [Key, Value]));
    assert.equal(values["deregistration_delay.timeout_seconds"], "3600");
    assert.equal(values["stickiness.type"], "lb_cookie");
    assert.equal(values["stickiness.lb_cookie.duration_seconds"], "86400");
    assert.equal(values["load_balancing.algorithm.anomaly_mitigation"], "off");
    const ofBalancer = await cloud.elb.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: balancer }));
    const defaults = Object.fromEntries((ofBalancer.Attributes ?? []).map(({ Key, Value }) => [Key, Value]));
    assert.equal(defaults["idle_timeout.timeout_seconds"], "60");
    assert.equal(defaults["routing.http2.enabled"], "true");
  });

  it("registers running instances of its VPC only, and each once", async () => {
    const TargetGroupArn = await group();
    assert.equal(await errorCode(register(TargetGroupArn, "i-00000000000000000")), "InvalidTargetException");
    const elsewhere = await network(cloud.ec2);
    const stranger = await running(cloud.ec2, { SubnetId: elsewhere.subnetIds[0] });
    assert.equal(await errorCode(register(TargetGroupArn, stranger.InstanceId)), "InvalidTargetException");
    await cloud.control("POST", "settings", { bootSeconds: 0.5 });
    const young = await launch(cloud.ec2, { SubnetId: world.subnetIds[0] });
    assert.equal(await errorCode(register(TargetGroupArn, young.InstanceId)), "InvalidTargetException");
    await cloud.control("POST", "settings", { bootSeconds: 0.1 });
    await reaches(cloud.ec2, young.InstanceId, "running");
    await register(TargetGroupArn, young.InstanceId);
    await register(TargetGroupArn, young.InstanceId);
    assert.equal((await health(TargetGroupArn)).length, 1);
  });

  it("tells health as the load balancer's checks report it, and unused without a listener", async () => {
    const { InstanceId } = await server();
    const TargetGroupArn = await group();
    await register(TargetGroupArn, InstanceId);
    assert.deepEqual(await health(TargetGroupArn), [["unused", "Target.NotInUse"]]);
    await listen(forward([TargetGroupArn, 1]));
    assert.deepEqual(await health(TargetGroupArn), [["initial", "Elb.RegistrationInProgress"]]);
    await report(TargetGroupArn, InstanceId, "initial");
    assert.deepEqual(await health(TargetGroupArn), [["initial", "Elb.InitialHealthChecking"]]);
    await report(TargetGroupArn, InstanceId, "healthy");
    assert.deepEqual(await health(TargetGroupArn), [["healthy", undefined]]);
    await report(TargetGroupArn, InstanceId, "unhealthy", "Target.ResponseCodeMismatch");
    assert.deepEqual(await health(TargetGroupArn), [["unhealthy", "Target.ResponseCodeMismatch"]]);
    await cloud.ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal((await health(TargetGroupArn))[0]?.[1], "Target.InvalidState");
  });

  it("drains a deregistered target for the whole delay, and then forgets it", async () => {
    const { InstanceId } = await server();
    const TargetGroupArn = await group();
    await listen(forward([TargetGroupArn, 1]));
    await attribute(TargetGroupArn, "deregistration_delay.timeout_seconds", "1");
    await register(TargetGroupArn, InstanceId);
    const since = Date.now();
    await deregister(TargetGroupArn, InstanceId);
    assert.deepEqual(await health(TargetGroupArn), [["draining", "Target.DeregistrationInProgress"]]);
    await eventually(async () => (await health(TargetGroupArn)).length === 0);
    assert.ok(Date.now() - since >= 900);
    assert.deepEqual(await health(TargetGroupArn, InstanceId), [["unused", "Target.NotRegistered"]]);
    await deregister(TargetGroupArn, InstanceId);
  });

  it("takes a draining target back when it is registered again, and checks it anew", async () => {
    const { InstanceId } = await server();
    const TargetGroupArn = await group();
    await listen(forward([TargetGroupArn, 1]));
    await attribute(TargetGroupArn, "deregistration_delay.timeout_seconds", "1");
    await register(TargetGroupArn, InstanceId);
    await report(TargetGroupArn, InstanceId, "healthy");
    await deregister(TargetGroupArn, InstanceId);
    await register(TargetGroupArn, InstanceId);
    assert.deepEqual(await health(TargetGroupArn), [["initial", "Elb.RegistrationInProgress"]]);
    await report(TargetGroupArn, InstanceId, "healthy");
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(await health(TargetGroupArn), [["healthy", undefined]]);
  });

  it("drains an instance that is terminated", async () => {
    const { InstanceId } = await server();
    const TargetGroupArn = await group();
    await listen(forward([TargetGroupArn, 1]));
    await register(TargetGroupArn, InstanceId);
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal((await health(TargetGroupArn))[0]?.[0], "draining");
  });
});
