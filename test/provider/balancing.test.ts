import assert from "node:assert/strict";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";
import { createNetwork, type Network } from "./network.ts";

describe("The provider's load balancing", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;
  let balancer: Deployed;
  let blue: Deployed;
  let green: Deployed;
  let listener: Deployed;
  /** Speaks HTTPS. */
  let secure: Deployed;
  let server: Deployed;
  const tags = { Name: "shop-lb", "handover:site": "shop" };
  let certificates: readonly string[];
  const targetGroup = () => ({ port: 8080, protocol: "HTTP", vpcId: network.vpc.id });
  const shared = (...weights: number[]) => [
    {
      type: "forward",
      forward: {
        targetGroups: [blue, green].map(({ id }, index) => ({ arn: id, weight: weights[index] ?? 0 })),
        stickiness: { enabled: true, duration: 60 },
      },
    },
  ];

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
    const subnets = network.subnets.map(({ id }) => id);
    [balancer, blue, green, server] = await Promise.all([
      harness.create("aws:lb/loadBalancer:LoadBalancer", "lb", { subnets, securityGroups: [network.group.id] }),
      harness.create("aws:lb/targetGroup:TargetGroup", "blue", targetGroup()),
      harness.create("aws:lb/targetGroup:TargetGroup", "green", targetGroup()),
      harness.create("aws:ec2/instance:Instance", "server", {
        ami: "ami-0a1b2c3d4e5f60001",
        instanceType: "t3.small",
        subnetId: network.subnets[0]?.id,
      }),
    ]);
    listener = await harness.create("aws:lb/listener:Listener", "http", {
      loadBalancerArn: balancer.id,
      port: 80,
      protocol: "HTTP",
      defaultActions: shared(100, 0),
      tags,
    });
    certificates = await Promise.all(["a", "b", "c"].map((name) => certificateFor(harness.cloud.url, name)));
    secure = await harness.create("aws:lb/listener:Listener", "https", {
      ...{ loadBalancerArn: balancer.id, port: 443, protocol: "HTTPS", certificateArn: certificates[0] },
      defaultActions: shared(100, 0),
    });
  });

  it("keeps the certificates of a listener beside its own when its weights change", async () => {
    const inputs = { listenerArn: secure.id, certificateArn: certificates[2] };
    const kept = await harness.create("aws:lb/listenerCertificate:ListenerCertificate", "kept", inputs);
    await harness.update(secure, { ...secure.inputs, defaultActions: shared(50, 50) });
    assert.deepEqual((await harness.refresh(kept))?.id, kept.id);
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "a LoadBalancer",
    () => harness,
    () => ({
      token: "aws:lb/loadBalancer:LoadBalancer",
      inputs: {
        loadBalancerType: "application",
        securityGroups: [network.group.id],
        subnets: network.subnets.map(({ id }) => id),
        tags,
      },
      change: { idleTimeout: 30, securityGroups: [network.other.id], tags: { Name: "other" } },
      replace: { internal: true, name: "fixed", loadBalancerType: "network" },
      outputs: ["arn", "dnsName", "zoneId"],
      refused: ["exactly one of subnets, subnetMappings must be given"],
    }),
  );

  itLivesAs(
    "a LoadBalancer with access logs",
    () => harness,
    () => ({
      token: "aws:lb/loadBalancer:LoadBalancer",
      inputs: {
        securityGroups: [network.group.id],
        subnets: network.subnets.map(({ id }) => id),
        accessLogs: { bucket: "logs", prefix: "www", enabled: true },
        tags,
      },
      change: { accessLogs: { bucket: "others", enabled: true } },
      replace: { internal: true },
      outputs: ["arn", "dnsName", "zoneId"],
      refused: ["exactly one of subnets, subnetMappings must be given"],
    }),
  );

  itLivesAs(
    "a TargetGroup",
    () => harness,
    () => ({
      token: "aws:lb/targetGroup:TargetGroup",
      inputs: {
        ...targetGroup(),
        deregistrationDelay: 5,
        healthCheck: {
          path: "/health",
          matcher: "200",
          interval: 5,
          timeout: 2,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
        },
        stickiness: { type: "lb_cookie", enabled: true, cookieDuration: 60 },
        tags,
      },
      change: { deregistrationDelay: 300, healthCheck: { path: "/up", interval: 10 }, tags: { Name: "other" } },
      replace: { port: 9090, protocol: "HTTPS", vpcId: "vpc-0", targetType: "ip", name: "fixed" },
      refused: [
        "targetFailovers[0].onDeregistration is required",
        "targetFailovers[0].onUnhealthy is required",
        "targetHealthStates[0].enableUnhealthyConnectionTermination is required",
      ],
    }),
  );

  it("deletes a target group with a fixed name before it creates the next one", async () => {
    const token = "aws:lb/targetGroup:TargetGroup";
    const fixed = await harness.create(token, "fixed", { ...targetGroup(), name: "fixed" });
    assert.equal(harness.diff(fixed, { ...targetGroup(), name: "fixed", port: 81 }).deleteBeforeReplace, true);
    assert.equal(harness.diff(blue, { ...targetGroup(), port: 81 }).deleteBeforeReplace, false);
    await harness.delete(fixed);
  });

  itLivesAs(
    "a Listener",
    () => harness,
    () => ({
      token: "aws:lb/listener:Listener",
      inputs: {
        loadBalancerArn: balancer.id,
        port: 8081,
        protocol: "HTTP",
        defaultActions: shared(100, 0),
        tags,
      },
      change: { defaultActions: shared(90, 10), tags: { Name: "other" } },
      replace: { loadBalancerArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1" },
    }),
  );

  itLivesAs(
    "a plain Listener",
    () => harness,
    () => ({
      token: "aws:lb/listener:Listener",
      inputs: {
        loadBalancerArn: balancer.id,
        port: 8082,
        defaultActions: [{ type: "fixed-response", fixedResponse: { contentType: "text/plain", statusCode: "503" } }],
      },
      change: { port: 8083, defaultActions: [{ type: "forward", targetGroupArn: blue.id }] },
      replace: {},
    }),
  );

  itLivesAs(
    "a ListenerRule",
    () => harness,
    () => ({
      token: "aws:lb/listenerRule:ListenerRule",
      inputs: {
        listenerArn: listener.id,
        priority: 1,
        conditions: [{ hostHeader: { values: ["test.example.com"] } }],
        actions: [{ type: "forward", targetGroupArn: blue.id }],
        tags,
      },
      change: {
        priority: 2,
        conditions: [{ pathPattern: { values: ["/next/*"] } }],
        actions: [{ type: "forward", targetGroupArn: green.id }],
        tags: { Name: "other" },
      },
      replace: { listenerArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2" },
    }),
  );

  itLivesAs(
    "a ListenerCertificate",
    () => harness,
    () => ({
      token: "aws:lb/listenerCertificate:ListenerCertificate",
      inputs: { listenerArn: secure.id, certificateArn: certificates[1] },
      replace: { listenerArn: listener.id, certificateArn: certificates[2] },
      outputs: [],
      importId: () => `${secure.id}_${certificates[1]}`,
    }),
    { updates: false },
  );

  itLivesAs(
    "a TargetGroupAttachment",
    () => harness,
    () => ({
      token: "aws:lb/targetGroupAttachment:TargetGroupAttachment",
      inputs: { targetGroupArn: blue.id, targetId: server.id },
      replace: { targetGroupArn: green.id, targetId: "i-0", port: 81 },
      outputs: [],
      importId: () => `${blue.id},${server.id}`,
    }),
    { updates: false },
  );

  it("adopts the rule of a creation that was cut off", async () => {
    const rule = {
      listenerArn: listener.id,
      priority: 7,
      conditions: [{ hostHeader: { values: ["test.example.com"] } }],
      actions: [{ type: "forward", targetGroupArn: blue.id }],
      tags,
    };
    const first = await harness.create("aws:lb/listenerRule:ListenerRule", "rule", rule);
    const second = await harness.create("aws:lb/listenerRule:ListenerRule", "rule", rule);
    assert.equal(second.id, first.id);
    const foreign = harness.create("aws:lb/listenerRule:ListenerRule", "rule", { ...rule, tags: { Name: "theirs" } });
    await assert.rejects(foreign, /PriorityInUse|in use/);
  });
});

/** A certificate of ACM, for which there is no client here. @returns its ARN */
async function certificateFor(url: string, name: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "CertificateManager.RequestCertificate",
      authorization: "AWS4-HMAC-SHA256 Credential=test/20261130/us-east-1/acm/aws4_request",
    },
    body: JSON.stringify({ DomainName: `${name}.example.com` }),
  });
  return ((await response.json()) as { CertificateArn: string }).CertificateArn;
}
