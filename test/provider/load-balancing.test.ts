import assert from "node:assert/strict";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import {
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ModifyListenerCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { Cloud } from "../../provider/cloud.ts";
import { listener as listenerType } from "../../provider/resources/listener.ts";
import { loadBalancer as balancerType } from "../../provider/resources/load-balancer.ts";
import { tagList } from "../../provider/tags.ts";
import type { Properties } from "../../provider/values.ts";
import { type Deployed, Harness } from "./harness.ts";
import { createNetwork, type Network } from "./network.ts";

const loadBalancer = "aws:lb/loadBalancer:LoadBalancer";
const targetGroup = "aws:lb/targetGroup:TargetGroup";
const listener = "aws:lb/listener:Listener";
const attachment = "aws:lb/targetGroupAttachment:TargetGroupAttachment";

describe("The provider's load balancing, as the program uses it", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;
  let cloud: Cloud;
  let balancer: Deployed;
  let blue: Deployed;
  let green: Deployed;
  /** The operations that the load balancing client of `cloud` called. */
  let calls: string[] = [];
  /** An operation that is answered with this error. */
  let refused: { operation: string; code: string } | undefined;
  const tags = { Name: "shop-lb", "handover:site": "shop" };
  const group = () => ({ port: 8080, protocol: "HTTP", vpcId: network.vpc.id, tags });
  const balancerInputs = () => ({
    loadBalancerType: "application",
    securityGroups: [network.group.id],
    subnets: network.subnets.map(({ id }) => id),
    tags,
  });

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
    const { url } = harness.cloud;
    const settings = { accessKey: "test", secretKey: "test", endpoints: { elbv2: url } };
    cloud = new Cloud({ region: "us-east-1", settings });
    cloud.loadBalancing.middlewareStack.add(
      (next, { commandName }) => {
        return (args) => {
          const operation = String(commandName).replace(/Command$/, "");
          calls.push(operation);
          if (operation !== refused?.operation) return next(args);
          throw Object.assign(new Error("refused"), { name: refused.code });
        };
      },
      { step: "initialize" },
    );
    [balancer, blue, green] = await Promise.all([
      harness.create(loadBalancer, "lb", balancerInputs()),
      harness.create(targetGroup, "blue", group()),
      harness.create(targetGroup, "green", group()),
    ]);
  });

  beforeEach(() => {
    calls = [];
    refused = undefined;
  });

  after(async () => {
    cloud?.close();
    await harness?.cloud.stop();
  });

  const forward = (...weights: number[]) => ({
    type: "forward",
    forward: { targetGroups: weights.map((weight, index) => ({ arn: [blue.id, green.id][index], weight })) },
  });
  let port = 9000;
  const listens = (action: object): Properties => ({
    loadBalancerArn: balancer.id,
    port: ++port,
    protocol: "HTTP",
    defaultActions: [action as Properties],
    tags,
  });
  const operation = () => ({ cloud, urn: "", name: "", signal: new AbortController().signal });
  /** A creation whose resource the state does not hold. */
  const creation = () => ({ ...operation(), token: () => "token", isHeld: false, created: () => {} });

  const shapes: Record<string, () => object> = {
    "one weighted target group without stickiness": () => forward(100),
    "two weighted target groups without stickiness": () => forward(100, 0),
    "a target group by its ARN alone": () => ({ type: "forward", targetGroupArn: blue.id }),
    "a target group in both ways": () => ({ ...forward(1), targetGroupArn: blue.id }),
    "a redirect": () => ({ type: "redirect", redirect: { port: "443", protocol: "HTTPS", statusCode: "HTTP_301" } }),
    "stickiness that is off": () => ({
      type: "forward",
      forward: { ...forward(50, 50).forward, stickiness: { enabled: false, duration: 60 } },
    }),
  };
  for (const [shape, action] of Object.entries(shapes)) {
    it(`finds no changes in a listener with ${shape}`, async () => {
      const program = listens(action());
      const deployed = await harness.create(listener, "shape", program);
      const refreshed = await harness.refresh(deployed);
      assert.ok(refreshed);
      assert.deepEqual(refreshed.inputs, deployed.inputs);
      assert.deepEqual(harness.diff(refreshed, program).differences, []);
      await harness.delete(deployed);
    });
  }

  it("imports one target group in both ways in which AWS describes it", async () => {
    const program = listens({ type: "forward", targetGroupArn: blue.id });
    const { id } = await harness.create(listener, "both", program);
    const imported = await harness.import(listener, "both", id);
    assert.ok(imported);
    const both = { ...program, defaultActions: [{ ...forward(1), targetGroupArn: blue.id }] };
    assert.deepEqual(harness.diff(imported, both).differences, []);
  });

  it("shifts the traffic with one call, and the tags stay alone", async () => {
    const program = listens(forward(100, 0));
    const { id, inputs, state } = await harness.create(listener, "shift", program);
    const news = { ...inputs, defaultActions: [forward(90, 10)] };
    const changed = (...keys: unknown[]) => keys.includes("defaultActions");
    await listenerType.update?.({ ...operation(), id, olds: inputs, news, state, changed });
    assert.deepEqual(calls, ["ModifyListener"]);
    const shifted = await harness.import(listener, "shift", id);
    assert.deepEqual(
      (shifted?.state.defaultActions as Properties[]).map((action) => action.forward),
      [forward(90, 10).forward],
    );
  });

  it("sees weights that somebody changed by hand, and puts them right", async () => {
    const program = listens(forward(100, 0));
    const deployed = await harness.create(listener, "drift", program);
    const TargetGroups = [
      { TargetGroupArn: blue.id, Weight: 1 },
      { TargetGroupArn: green.id, Weight: 99 },
    ];
    const DefaultActions = [{ Type: "forward" as const, ForwardConfig: { TargetGroups } }];
    await harness.cloud.elb.send(new ModifyListenerCommand({ ListenerArn: deployed.id, DefaultActions }));
    const drifted = await harness.refresh(deployed);
    assert.ok(drifted);
    assert.notDeepEqual(drifted.inputs, deployed.inputs);
    const mended = await harness.update(drifted, program);
    assert.deepEqual((await harness.refresh(mended))?.state, mended.state);
    assert.deepEqual(mended.state.defaultActions, deployed.state.defaultActions);
  });

  it("sets only the load balancer's attributes that differ from AWS's own", async () => {
    const inputs = { ...balancerInputs(), name: "plain", idleTimeout: 60, dropInvalidHeaderFields: false };
    const plain = await balancerType.create(inputs, creation());
    assert.ok(!calls.includes("ModifyLoadBalancerAttributes"));
    await harness.delete({ urn: harness.urn(loadBalancer, "plain"), id: plain, inputs: {}, state: {} });
    const strict = { ...balancerInputs(), dropInvalidHeaderFields: true };
    assert.equal(harness.diff(balancer, strict).differences[0]?.replace, false);
    balancer = await harness.update(balancer, strict);
    assert.equal(balancer.state.dropInvalidHeaderFields, true);
    assert.deepEqual((await harness.refresh(balancer))?.inputs, balancer.inputs);
  });

  it("adopts a load balancer of the same name only with the same tags, scheme and no place in the state", async () => {
    const named = { ...balancerInputs(), name: "named" };
    const { id } = await harness.create(loadBalancer, "named", { ...named, idleTimeout: 30 });
    refused = { operation: "CreateLoadBalancer", code: "DuplicateLoadBalancerNameException" };
    assert.equal(await balancerType.create({ ...named, idleTimeout: 60 }, creation()), id);
    assert.equal((await harness.import(loadBalancer, "named", id))?.state.idleTimeout, 60);
    const duplicate = { name: "DuplicateLoadBalancerNameException" };
    const { tags: _, ...untagged } = named;
    for (const other of [{ ...named, tags: { Name: "theirs" } }, untagged, { ...named, internal: true }]) {
      await assert.rejects(balancerType.create(other, creation()), duplicate);
    }
    await assert.rejects(balancerType.create(named, { ...creation(), isHeld: true }), duplicate);
    refused = { operation: "CreateLoadBalancer", code: "InvalidSubnet" };
    await assert.rejects(balancerType.create(named, creation()), { name: "InvalidSubnet" });
  });

  it("adopts a target group of the same name with the same tags, and gives it its health check", async () => {
    const command = new CreateTargetGroupCommand({
      Name: "named",
      Port: 8080,
      Protocol: "HTTP",
      VpcId: network.vpc.id,
      Tags: tagList(tags),
    });
    const left = (await harness.cloud.elb.send(command)).TargetGroups?.[0]?.TargetGroupArn;
    const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: "77" }];
    await harness.cloud.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: left, Attributes }));
    const named = { ...group(), name: "named" };
    const different = harness.create(targetGroup, "different", { ...named, port: 8081 });
    await assert.rejects(different, { name: /^DuplicateTargetGroupName/ });
    const foreign = harness.create(targetGroup, "foreign", { ...named, tags: { Name: "theirs" } });
    await assert.rejects(foreign, { name: /^DuplicateTargetGroupName/ });
    const program = { ...named, deregistrationDelay: 300, healthCheck: { path: "/health", interval: 5, timeout: 2 } };
    const deployed = await harness.create(targetGroup, "named", program);
    assert.equal(deployed.id, left);
    assert.equal((deployed.state.healthCheck as Properties).path, "/health");
    assert.equal(deployed.state.deregistrationDelay, 300);
    assert.deepEqual((await harness.refresh(deployed))?.inputs, deployed.inputs);
  });

  it("registers a server as soon as it runs, and does not wait for it to drain", async () => {
    const run = new RunInstancesCommand({
      ImageId: "ami-0a1b2c3d4e5f60001",
      InstanceType: "t3.small",
      SubnetId: network.subnets[0]?.id,
      MinCount: 1,
      MaxCount: 1,
    });
    // It boots, and AWS refuses it until it runs.
    const targetId = (await harness.cloud.ec2.send(run)).Instances?.[0]?.InstanceId ?? "";
    const deployed = await harness.create(attachment, "booting", { targetGroupArn: green.id, targetId });
    assert.ok(await harness.refresh(deployed));
    await harness.delete(deployed);
    const health = new DescribeTargetHealthCommand({ TargetGroupArn: green.id });
    const { TargetHealthDescriptions } = await harness.cloud.elb.send(health);
    assert.equal(TargetHealthDescriptions?.[0]?.TargetHealth?.State, "draining");
    assert.equal(await harness.refresh(deployed), undefined);
    const again = await harness.create(attachment, "booting", { targetGroupArn: green.id, targetId });
    assert.equal(again.id, deployed.id);
  });
});
