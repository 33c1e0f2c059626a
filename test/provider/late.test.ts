import assert from "node:assert/strict";
import { canonicalJson } from "../../automation/ledger/canonical.ts";
import type { Properties } from "../../provider/values.ts";
import { cloudForTests } from "../sandbox/support.ts";
import { type Deployed, Harness } from "./harness.ts";
import { createNetwork } from "./network.ts";

describe("The provider on a cloud that shows what was written late", () => {
  let harness: Harness;
  before(async () => {
    harness = new Harness(await cloudForTests({ staleReadSeconds: 0.5 }));
  });
  after(() => harness.cloud.stop());

  const late = (staleReadSeconds: number) => harness.cloud.control("POST", "settings", { staleReadSeconds });

  /** What was created and changed late is in the state as it is in the cloud, when nothing is late. */
  async function assertSettled(...all: readonly Deployed[]): Promise<void> {
    await late(0);
    for (const { urn, state, inputs, ...deployed } of all) {
      const refreshed = await harness.refresh({ urn, state, inputs, ...deployed });
      assert.ok(refreshed, urn);
      assert.deepEqual([urn, changed(state, refreshed.state), changed(inputs, refreshed.inputs)], [urn, [], []]);
    }
    await late(0.5);
  }

  const changed = (before: Properties, after: Properties) =>
    Object.keys({ ...before, ...after }).filter((key) => canonicalJson([before[key]]) !== canonicalJson([after[key]]));

  it("creates a site and changes it, each of its resources with what it has in the end", async () => {
    const tags = { "handover:site": "late" };
    const { vpc, subnets, group } = await createNetwork(harness);
    const vpcId = vpc.id;
    const [first = vpc, second = vpc] = subnets;
    const create = harness.create.bind(harness);
    const rule = { securityGroupId: group.id, ipProtocol: "tcp", fromPort: 80, toPort: 80, cidrIpv4: "0.0.0.0/0" };
    const gateway = await create("aws:ec2/internetGateway:InternetGateway", "gateway", { vpcId, tags });
    const table = await create("aws:ec2/routeTable:RouteTable", "table", { vpcId, tags });
    const route = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
    const subnetIds = subnets.map(({ id }) => id);
    const template = { imageId: "ami-0a1b2c3d4e5f60001", instanceType: "t3.micro", updateDefaultVersion: true };
    const server = {
      ami: "ami-0a1b2c3d4e5f60001",
      instanceType: "t3.micro",
      subnetId: first.id,
      vpcSecurityGroupIds: [group.id],
      rootBlockDevice: { volumeSize: 9, tags },
      tags,
    };
    const targets = { port: 80, protocol: "HTTP", vpcId, deregistrationDelay: 7, tags };
    const [ingress, way, association, launchTemplate, instance, address, targetGroup, balancer, volume] =
      await Promise.all([
        create("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "rule", rule),
        create("aws:ec2/route:Route", "way", route),
        create("aws:ec2/routeTableAssociation:RouteTableAssociation", "association", {
          routeTableId: table.id,
          subnetId: second.id,
        }),
        create("aws:ec2/launchTemplate:LaunchTemplate", "template", template),
        create("aws:ec2/instance:Instance", "server", server),
        create("aws:ec2/eip:Eip", "address", { domain: "vpc", tags }),
        create("aws:lb/targetGroup:TargetGroup", "targets", targets),
        create("aws:lb/loadBalancer:LoadBalancer", "balancer", {
          subnets: subnetIds,
          securityGroups: [group.id],
          tags,
        }),
        create("aws:ebs/volume:Volume", "volume", { availabilityZone: "us-east-1a", size: 3, tags }),
      ]);
    await assertSettled(gateway, way, association, launchTemplate, instance, address, targetGroup, balancer, volume);
    const forward = { type: "forward", targetGroupArn: targetGroup.id };
    const [held, array, listener, snapshot, attached] = await Promise.all([
      create("aws:ec2/eipAssociation:EipAssociation", "held", {
        allocationId: address.id,
        instanceId: instance.id,
        allowReassociation: true,
      }),
      create("aws:autoscaling/group:Group", "array", {
        minSize: 1,
        maxSize: 2,
        forceDelete: true,
        launchTemplate: { id: launchTemplate.id, version: "1" },
        vpcZoneIdentifiers: subnetIds,
        tags: [{ key: "Name", value: "late", propagateAtLaunch: true }],
      }),
      create("aws:lb/listener:Listener", "listener", {
        loadBalancerArn: balancer.id,
        port: 80,
        defaultActions: [forward],
        tags,
      }),
      create("aws:ebs/snapshot:Snapshot", "snapshot", { volumeId: volume.id, tags }),
      create("aws:lb/targetGroupAttachment:TargetGroupAttachment", "attached", {
        targetGroupArn: targetGroup.id,
        targetId: instance.id,
      }),
    ]);
    await assertSettled(held, array, listener, snapshot, attached, ingress);
    const moreTags = { "handover:site": "late", "handover:run": "r2" };
    const updated = await Promise.all([
      harness.update(launchTemplate, { ...template, instanceType: "t3.small" }),
      harness.update(instance, { ...server, tags: moreTags, rootBlockDevice: { volumeSize: 9, tags: moreTags } }),
      harness.update(targetGroup, { ...targets, deregistrationDelay: 9 }),
      harness.update(array, {
        minSize: 1,
        maxSize: 3,
        forceDelete: true,
        launchTemplate: { id: launchTemplate.id, version: "1" },
        vpcZoneIdentifiers: subnetIds,
        tags: [{ key: "Name", value: "late", propagateAtLaunch: true }],
        suspendedProcesses: ["Launch", "Terminate"],
      }),
      harness.update(listener, {
        loadBalancerArn: balancer.id,
        port: 80,
        defaultActions: [forward],
        tags: moreTags,
      }),
    ]);
    assert.equal(updated[0].state.latestVersion, 2);
    assert.deepEqual(updated[3].state.suspendedProcesses, ["Launch", "Terminate"]);
    await assertSettled(...updated);
    await Promise.all([array, held, attached, listener].map((deployed) => harness.delete(deployed)));
    await Promise.all([instance, balancer].map((deployed) => harness.delete(deployed)));
    await late(0);
    for (const gone of [array, listener, instance, balancer]) assert.equal(await harness.refresh(gone), undefined);
  });
}).timeout(60_000);
