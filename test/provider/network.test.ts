import assert from "node:assert/strict";
import type { Properties } from "../../provider/values.ts";
import { type Deployed, Harness } from "./harness.ts";
import { itLivesAs } from "./lifecycle.ts";

describe("The provider's network resources", function () {
  this.timeout(60_000);
  let harness: Harness;
  let vpc: Deployed;
  let subnet: Deployed;
  let table: Deployed;
  let gateway: Deployed;
  let block: (network: string) => string;
  const tags = { Name: "shop-network", "handover:site": "shop" };

  before(async () => {
    harness = await Harness.start();
    const prefix = harness.cloud.slot.cidrBlock.split(".").slice(0, 2).join(".");
    const third = Number(harness.cloud.slot.cidrBlock.split(".")[2]);
    block = (network) => `${prefix}.${third + Number(network.split("/")[0])}.0/${network.split("/")[1]}`;
    vpc = await harness.create("aws:ec2/vpc:Vpc", "vpc", { cidrBlock: block("0/20"), tags });
    const vpcId = vpc.id;
    [subnet, table, gateway] = await Promise.all([
      harness.create("aws:ec2/subnet:Subnet", "subnet", { vpcId, cidrBlock: block("0/24"), tags }),
      harness.create("aws:ec2/routeTable:RouteTable", "table", { vpcId, tags }),
      harness.create("aws:ec2/internetGateway:InternetGateway", "gateway", { vpcId, tags }),
    ]);
  });

  after(() => harness?.cloud.stop());

  itLivesAs(
    "a Vpc",
    () => harness,
    () => ({
      token: "aws:ec2/vpc:Vpc",
      inputs: { cidrBlock: "10.1.0.0/16", enableDnsHostnames: true, tags },
      change: { enableDnsHostnames: false, tags: { Name: "other" } },
      replace: { cidrBlock: "10.2.0.0/16" },
      outputs: ["arn", "mainRouteTableId", "ownerId"],
    }),
  );

  itLivesAs(
    "a Subnet",
    () => harness,
    () => ({
      token: "aws:ec2/subnet:Subnet",
      inputs: { vpcId: vpc.id, cidrBlock: block("4/24"), availabilityZone: "us-east-1b", tags },
      change: { mapPublicIpOnLaunch: true, tags: { ...tags, more: "yes" } },
      replace: { vpcId: "vpc-0", cidrBlock: block("5/24"), availabilityZone: "us-east-1c" },
    }),
  );

  itLivesAs(
    "an InternetGateway",
    () => harness,
    () => ({
      token: "aws:ec2/internetGateway:InternetGateway",
      inputs: { tags },
      change: { tags: undefined },
      changes: ["tags"],
      replace: {},
    }),
  );

  itLivesAs(
    "a RouteTable",
    () => harness,
    () => ({
      token: "aws:ec2/routeTable:RouteTable",
      inputs: { vpcId: vpc.id, tags },
      change: { tags: { Name: "other" } },
      replace: { vpcId: "vpc-0" },
    }),
  );

  itLivesAs(
    "with routes of its own, a RouteTable",
    () => harness,
    () => ({
      token: "aws:ec2/routeTable:RouteTable",
      inputs: {
        vpcId: vpc.id,
        routes: [
          { cidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
          { cidrBlock: "10.9.0.0/16", gatewayId: gateway.id },
        ],
      },
      change: {
        routes: [
          { cidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
          { cidrBlock: "10.8.0.0/16", gatewayId: gateway.id },
        ],
      },
      replace: {},
    }),
  );

  it("refuses a route without a target before anything else of it is made", async () => {
    const routes = [{ cidrBlock: "0.0.0.0/0" }];
    const refused = harness.create("aws:ec2/routeTable:RouteTable", "aimless", { vpcId: vpc.id, routes });
    await assert.rejects(refused, /one destination and one target/);
  });

  itLivesAs(
    "a Route",
    () => harness,
    () => ({
      token: "aws:ec2/route:Route",
      inputs: { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
      replace: { routeTableId: "rtb-0", destinationCidrBlock: "10.0.0.0/8" },
      outputs: ["origin", "state"],
      importId: () => `${table.id}_0.0.0.0/0`,
    }),
    { updates: false },
  );

  itLivesAs(
    "a RouteTableAssociation",
    () => harness,
    () => ({
      token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
      inputs: { subnetId: subnet.id, routeTableId: table.id },
      replace: { subnetId: "subnet-0" },
      outputs: [],
      importId: () => `${subnet.id}/${table.id}`,
    }),
    { updates: false },
  );

  const open = (port: number) => ({ protocol: "tcp", fromPort: port, toPort: port, cidrBlocks: ["0.0.0.0/0"] });
  const everything = { protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] };

  itLivesAs(
    "a SecurityGroup",
    () => harness,
    () => ({
      token: "aws:ec2/securityGroup:SecurityGroup",
      inputs: { vpcId: vpc.id, description: "web", ingress: [open(80), open(443)], egress: [everything], tags },
      change: { ingress: [open(443), { ...open(8080), self: true }], egress: [open(443)], tags: { Name: "other" } },
      replace: { vpcId: "vpc-0", description: "other", name: "fixed" },
    }),
  );

  it("lets nothing out of a security group that does not say so", async () => {
    const group = await harness.create("aws:ec2/securityGroup:SecurityGroup", "closed", { vpcId: vpc.id });
    assert.deepEqual(group.state.egress, []);
    assert.equal(group.state.description, "Managed by Pulumi");
    await harness.delete(group);
  });

  for (const direction of ["Ingress", "Egress"]) {
    const token = `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`;
    let group: Deployed;
    const rule = (settings: Properties = {}): Properties => ({
      securityGroupId: group.id,
      ipProtocol: "tcp",
      fromPort: 80,
      toPort: 80,
      cidrIpv4: "10.0.0.0/8",
      tags,
      ...settings,
    });

    describe(`rules of a security group (${direction.toLowerCase()})`, () => {
      before(async () => {
        group = await harness.create("aws:ec2/securityGroup:SecurityGroup", `of-${direction}`, { vpcId: vpc.id });
      });

      itLivesAs(
        `a SecurityGroup${direction}Rule`,
        () => harness,
        () => ({
          token,
          inputs: rule(),
          change: {
            fromPort: 8080,
            toPort: 8081,
            description: "web",
            cidrIpv4: "10.1.0.0/16",
            tags: { Name: "other" },
          },
          replace: { securityGroupId: "sg-0" },
          outputs: ["arn", "securityGroupRuleId"],
        }),
      );

      itLivesAs(
        `for all protocols, a SecurityGroup${direction}Rule`,
        () => harness,
        () => ({
          token,
          inputs: { securityGroupId: group.id, ipProtocol: "-1", referencedSecurityGroupId: group.id },
          change: { tags: { Name: "other" } },
          replace: {},
        }),
      );

      it("is replaced when its source is of another kind", async () => {
        const deployed = await harness.create(token, "source", rule({ fromPort: 81, toPort: 81 }));
        const { cidrIpv4: _, ...others } = rule({ fromPort: 81, toPort: 81 });
        const { differences } = harness.diff(deployed, { ...others, referencedSecurityGroupId: group.id });
        assert.ok(differences.every(({ replace }) => replace));
        assert.throws(() => harness.diff(deployed, others), /exactly one of cidrIpv4/);
        await harness.delete(deployed);
      });

      it("adopts its own after a crash, and nobody else's", async () => {
        const first = await harness.create(token, "cut-off", rule({ fromPort: 82, toPort: 82 }));
        const second = await harness.create(token, "cut-off", rule({ fromPort: 82, toPort: 82 }));
        assert.equal(second.id, first.id);
        const foreign = harness.create(token, "cut-off", rule({ fromPort: 82, toPort: 82, tags: { Name: "theirs" } }));
        await assert.rejects(foreign, { name: "InvalidPermission.Duplicate" });
        await harness.delete(second);
      });
    });
  }

  it("puts back what somebody changed by hand", async () => {
    const inputs = { vpcId: vpc.id, ingress: [open(80)], egress: [everything], tags };
    const group = await harness.create("aws:ec2/securityGroup:SecurityGroup", "drift", inputs);
    await harness.update(group, { ...inputs, ingress: [open(22)], tags: { ...tags, by: "hand" } });
    const drifted = await harness.refresh(group);
    assert.ok(drifted);
    assert.deepEqual(
      harness.diff(drifted, inputs).differences.map(({ path, kind }) => `${kind} ${path}`),
      ["update ingress", "delete tags.by"],
    );
    await harness.delete(drifted);
  });

  it("names by a prefix, the same again when the creation is repeated", async () => {
    const token = "aws:ec2/securityGroup:SecurityGroup";
    const inputs = { vpcId: vpc.id, namePrefix: "web-" };
    const urn = harness.urn(token, "prefixed");
    const group = await harness.create(token, "prefixed", inputs);
    assert.match(String(group.state.name), /^web-\d{18}[0-9a-f]{8}$/);
    assert.equal(group.state.namePrefix, "web-");
    assert.equal(group.inputs.name, undefined);
    assert.deepEqual(harness.diff(group, inputs).differences, []);
    const imported = await harness.import(token, "prefixed", group.id);
    assert.deepEqual(imported && harness.diff(imported, inputs).differences, []);
    const { differences } = harness.diff(group, { ...inputs, namePrefix: "other-" });
    assert.deepEqual(differences, [{ path: "namePrefix", kind: "update", replace: true }]);
    const both = harness.provider.check({ urn }, {}, { ...inputs, name: "fixed" }, Buffer.from("x"));
    assert.deepEqual(
      both.failures.map(({ reason }) => reason),
      ["namePrefix and name exclude each other"],
    );
    await harness.delete(group);
  });

  it("takes the provider's region as an input, and no other", async () => {
    const token = "aws:ec2/securityGroup:SecurityGroup";
    const urn = harness.urn(token, "regional");
    const check = (region: string) =>
      harness.provider.check({ urn }, {}, { vpcId: vpc.id, region }, Buffer.from("x")).failures;
    assert.deepEqual(check("us-east-1"), []);
    assert.equal(check("eu-west-1")[0]?.property, "region");
  });

  it("names what has no name, and keeps the name", async () => {
    const token = "aws:ec2/securityGroup:SecurityGroup";
    const group = await harness.create(token, "named", { vpcId: vpc.id });
    assert.match(String(group.inputs.name), /^named-[0-9a-f]{7}$/);
    const urn = group.urn;
    const again = harness.provider.check({ urn }, group.inputs, { vpcId: vpc.id }, Buffer.from("another seed"));
    assert.equal(again.inputs.name, group.inputs.name);
    await harness.delete(group);
  });
});
