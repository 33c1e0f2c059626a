import assert from "node:assert/strict";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Properties } from "../../provider/values.ts";
import { Harness } from "./harness.ts";
import { createNetwork, type Network } from "./network.ts";

describe("The provider's functions", function () {
  this.timeout(60_000);
  let harness: Harness;
  let network: Network;

  before(async () => {
    harness = await Harness.start();
    network = await createNetwork(harness);
  });

  after(() => harness?.cloud.stop());

  const invoke = async (token: string, args: Properties = {}): Promise<Properties> => {
    const result = await harness.provider.invoke(token, args);
    if (Array.isArray(result)) throw new Error(result.map(({ reason }) => reason).join("; "));
    return result;
  };

  it("find an image, and say so when there is none or more than one", async () => {
    const token = "aws:ec2/getAmi:getAmi";
    const filters = [{ name: "image-id", values: ["ami-0a1b2c3d4e5f60001"] }];
    const image = await invoke(token, { filters, includeDeprecated: true });
    assert.equal(image.id, "ami-0a1b2c3d4e5f60001");
    assert.ok(["x86_64", "arm64"].includes(String(image.architecture)));
    await assert.rejects(invoke(token, { filters: [{ name: "image-id", values: ["ami-0"] }] }), /returned no results/);
    await assert.rejects(invoke(token, {}), /more than one result/);
  });

  it("describe an instance type", async () => {
    const token = "aws:ec2/getInstanceType:getInstanceType";
    const type = await invoke(token, { instanceType: "t4g.small" });
    assert.deepEqual([type.id, type.memorySize, type.defaultVcpus], ["t4g.small", 2048, 2]);
    assert.deepEqual(type.supportedArchitectures, ["arm64"]);
    await assert.rejects(invoke(token, { instanceType: "t3.imaginary" }), /t3\.imaginary/);
  });

  it("find a network and a subnet by id, by tags and by what they are", async () => {
    const { vpc, subnets } = network;
    const found = await invoke("aws:ec2/getVpc:getVpc", { id: vpc.id });
    for (const output of ["arn", "cidrBlock", "ownerId", "mainRouteTableId", "enableDnsSupport"]) {
      assert.deepEqual(found[output], vpc.state[output], output);
    }
    const getSubnet = "aws:ec2/getSubnet:getSubnet";
    const subnet = await invoke(getSubnet, { vpcId: vpc.id, availabilityZone: "us-east-1b" });
    assert.equal(subnet.id, subnets[1]?.id);
    assert.equal(subnet.arn, subnets[1]?.state.arn);
    await assert.rejects(invoke(getSubnet, { vpcId: vpc.id }), /multiple subnets matched/);
    await assert.rejects(invoke(getSubnet, { tags: { Name: "nobody's" } }), /no matching subnet/);
    assert.equal((await invoke("aws:ec2/getVpc:getVpc", { default: true })).default, true);
  });

  it("find a subnet's route table where it has one of its own, and the network's main one by a filter", async () => {
    const { vpc, subnets } = network;
    const [own, other] = subnets;
    const tags = { Name: "public" };
    const gateway = await harness.create("aws:ec2/internetGateway:InternetGateway", "out", { vpcId: vpc.id });
    const routes = [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }];
    const table = await harness.create("aws:ec2/routeTable:RouteTable", "public", { vpcId: vpc.id, routes, tags });
    const association = { subnetId: own?.id, routeTableId: table.id };
    const associated = await harness.create("aws:ec2/routeTableAssociation:RouteTableAssociation", "own", association);

    const token = "aws:ec2/getRouteTable:getRouteTable";
    const found = await invoke(token, { subnetId: own?.id });
    for (const output of ["arn", "ownerId", "tags", "vpcId"]) {
      assert.deepEqual(found[output], table.state[output], output);
    }
    assert.deepEqual([found.id, found.routeTableId, found.subnetId], [table.id, table.id, own?.id]);
    const [route, another] = found.routes as Properties[];
    assert.deepEqual(
      [route?.cidrBlock, route?.gatewayId, route?.natGatewayId, another],
      ["0.0.0.0/0", gateway.id, "", undefined],
    );
    const [named] = found.associations as Properties[];
    assert.deepEqual([named?.subnetId, named?.routeTableAssociationId, named?.main], [own?.id, associated.id, false]);

    await assert.rejects(invoke(token, { subnetId: other?.id }), /returned no results/);
    const main = await invoke(token, { vpcId: vpc.id, filters: [{ name: "association.main", values: ["true"] }] });
    assert.deepEqual([main.id, main.routes], [vpc.state.mainRouteTableId, []]);
    await assert.rejects(invoke(token, { vpcId: vpc.id }), /multiple Route Tables matched/);
    assert.equal((await invoke(token, { tags })).id, table.id);
    await assert.rejects(invoke(token), /must be assigned/);
  });

  it("tell of an Elastic IP who has it, and say so when there is none", async () => {
    const token = "aws:ec2/getElasticIp:getElasticIp";
    const made = await harness.create("aws:ec2/eip:Eip", "public", { domain: "vpc", tags: { Name: "public" } });
    const { publicIp, domain, associationId, instanceId, tags } = await invoke(token, { id: made.id });
    assert.deepEqual(
      [publicIp, domain, associationId, instanceId, tags],
      [made.state.publicIp, "vpc", "", "", { Name: "public" }],
    );
    await assert.rejects(invoke(token, { id: "eipalloc-0" }), /no matching EC2 EIP found/);
    await harness.delete(made);
  });

  it("tell the account, the region and its zones", async () => {
    const { accountId } = await invoke("aws:index/getCallerIdentity:getCallerIdentity");
    assert.equal(accountId, network.vpc.state.ownerId);
    const region = await invoke("aws:index/getRegion:getRegion");
    assert.deepEqual([region.name, region.id], ["us-east-1", "us-east-1"]);
    const zones = await invoke("aws:index/getAvailabilityZones:getAvailabilityZones", { state: "available" });
    assert.deepEqual((zones.names as string[]).slice(0, 2), ["us-east-1a", "us-east-1b"]);
  });

  it("read the parameters under a path", async () => {
    const token = "aws:ssm/getParametersByPath:getParametersByPath";
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const client = new SSMClient({ endpoint: harness.cloud.url, region: "us-east-1", credentials });
    await client.send(new PutParameterCommand({ Name: "/www/APP_REVISION", Value: "42", Type: "String" }));
    await client.send(new PutParameterCommand({ Name: "/www/KEY", Value: "s3cret", Type: "SecureString" }));
    await client.send(new PutParameterCommand({ Name: "/www/below/KEY", Value: "other", Type: "String" }));
    client.destroy();
    const { names, types, values } = await invoke(token, { path: "/www" });
    assert.deepEqual(
      [names, types, values],
      [
        ["/www/APP_REVISION", "/www/KEY"],
        ["String", "SecureString"],
        ["42", "s3cret"],
      ],
    );
    assert.deepEqual((await invoke(token, { path: "/elsewhere" })).names, []);
  });

  it("refuse what they do not know", async () => {
    const refused = invoke("aws:ec2/getAmi:getAmi", { surprise: true });
    await assert.rejects(refused, { message: "surprise is not supported by Handover's provider" });
    await assert.rejects(invoke("aws:s3/getBucket:getBucket"), /getBucket is not supported by Handover's provider/);
    const elsewhere = invoke("aws:ec2/getAmi:getAmi", { region: "eu-west-1" });
    await assert.rejects(elsewhere, /region must be the provider's, us-east-1/);
  });
});
