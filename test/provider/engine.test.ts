import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DescribeInstancesCommand, DescribeVpcsCommand } from "@aws-sdk/client-ec2";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type InlineProgramArgs, LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { stopProcess } from "../../sandbox/processes.ts";
import { eventually } from "../eventually.ts";
import { cloudForTests, type TestCloud } from "../sandbox/support.ts";

const plugin = join(import.meta.dirname, "../../provider/pulumi-resource-aws");

/** What a site is made of; `holder` says which of the two servers has the address. */
function site(cidrBlock: string, holder: "blue" | "green") {
  return async () => {
    const [a = "", b = "", c = ""] = cidrBlock.split(".");
    const tags = { Name: "shop", "handover:site": "shop" };
    const zones = await aws.getAvailabilityZones({ state: "available" });
    const image = await aws.ec2.getAmi({ filters: [{ name: "image-id", values: ["ami-0a1b2c3d4e5f60001"] }] });
    const vpc = new aws.ec2.Vpc("vpc", { cidrBlock, tags });
    const gateway = new aws.ec2.InternetGateway("gateway", { vpcId: vpc.id });
    const table = new aws.ec2.RouteTable("table", { vpcId: vpc.id });
    new aws.ec2.Route("out", { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id });
    const subnets = [0, 1].map((index) => {
      const block = `${a}.${b}.${Number(c) + index}.0/24`;
      const arguments_ = { vpcId: vpc.id, cidrBlock: block, availabilityZone: zones.names[index] };
      const subnet = new aws.ec2.Subnet(`subnet-${index}`, arguments_);
      new aws.ec2.RouteTableAssociation(`subnet-${index}`, { subnetId: subnet.id, routeTableId: table.id });
      return subnet;
    });
    const group = new aws.ec2.SecurityGroup("group", { vpcId: vpc.id });
    const targets = new aws.lb.TargetGroup("targets", { vpcId: vpc.id, port: 80, protocol: "HTTP" });
    const servers = Object.fromEntries(
      ["blue", "green"].map((name) => {
        const server = new aws.ec2.Instance(name, {
          ami: image.id,
          instanceType: "t3.small",
          subnetId: subnets[0]?.id,
          vpcSecurityGroupIds: [group.id],
          associatePublicIpAddress: true,
          rootBlockDevice: { encrypted: true },
          userData: pulumi.secret(`#cloud-config\n# ${name}`),
          tags,
        });
        new aws.lb.TargetGroupAttachment(name, { targetGroupArn: targets.arn, targetId: server.id });
        return [name, server] as const;
      }),
    );
    const balancer = new aws.lb.LoadBalancer("lb", {
      subnets: subnets.map(({ id }) => id),
      securityGroups: [group.id],
    });
    new aws.lb.Listener("http", {
      loadBalancerArn: balancer.arn,
      port: 8080,
      protocol: "HTTP",
      defaultActions: [{ type: "forward", forward: { targetGroups: [{ arn: targets.arn, weight: 100 }] } }],
    });
    const address = new aws.ec2.Eip("address", { domain: "vpc" });
    const instanceId = servers[holder]?.id;
    new aws.ec2.EipAssociation("address", { allocationId: address.id, instanceId, allowReassociation: true });
    return {
      publicIp: address.publicIp,
      balancer: balancer.name,
      userData: servers.blue?.userData,
      ids: {
        vpc: vpc.id,
        subnet: subnets[0]?.id,
        table: table.id,
        gateway: gateway.id,
        targets: targets.arn,
        blue: servers.blue?.id,
      },
    };
  };
}

describe("Pulumi's engine with Handover's provider", function () {
  this.timeout(120_000);
  let cloud: TestCloud;
  let directory: string;
  let provider: ChildProcess;
  let stack: Stack;

  before(async () => {
    cloud = await cloudForTests();
    directory = mkdtempSync(join(tmpdir(), "handover-provider-"));
    const env = {
      AWS_ENDPOINT_URL: cloud.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    };
    provider = spawn(plugin, ["--port", "0"], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await firstLine(provider);
    const program: InlineProgramArgs = {
      stackName: "test",
      projectName: "handover",
      program: site(cloud.slot.cidrBlock, "blue"),
    };
    stack = await LocalWorkspace.createOrSelectStack(program, {
      workDir: directory,
      envVars: {
        ...env,
        PATH: [join(plugin, ".."), process.env.PATH ?? ""].join(delimiter),
        PULUMI_BACKEND_URL: `file://${directory}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_DEBUG_PROVIDERS: `aws:${port}`,
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
  });

  after(async () => {
    await stopProcess(provider?.pid);
    await cloud?.stop();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  it("previews and creates a site", async () => {
    const { changeSummary } = await stack.preview();
    const { outputs, summary } = await stack.up();
    assert.deepEqual(changeSummary, summary.resourceChanges);
    assert.match(outputs.publicIp?.value, /^127\./);
    assert.match(outputs.balancer?.value, /^lb-[0-9a-f]{7}$/);
    assert.deepEqual(outputs.userData, { value: "#cloud-config\n# blue", secret: true });
  });

  it("finds nothing to change after that", async () => {
    await stack.refresh({ expectNoChanges: true });
    await stack.up({ expectNoChanges: true });
  });

  it("moves the address create-first", async () => {
    stack.workspace.program = site(cloud.slot.cidrBlock, "green");
    const { summary } = await stack.up();
    assert.deepEqual(summary.resourceChanges, { replace: 1, same: 18 });
    // The server that it left gets an address of its own again, and until then a refresh finds it without.
    await eventually(async () => {
      const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({}));
      const servers = Reservations.flatMap(({ Instances = [] }) => Instances);
      return servers.every(({ PublicIpAddress }) => PublicIpAddress !== undefined);
    }, "each server has a public address");
  });

  it("brings changed default tags to everything that has tags, and takes them away again", async () => {
    await stack.setConfig("aws:defaultTags", { value: '{"tags":{"team":"web"}}' });
    const { summary } = await stack.up();
    await stack.refresh({ expectNoChanges: true });
    const { Vpcs = [] } = await cloud.ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "tag:team", Values: ["web"] }] }),
    );
    assert.equal(Vpcs.length, 1);
    await stack.removeConfig("aws:defaultTags");
    const { summary: again } = await stack.up();
    assert.deepEqual([summary.resourceChanges?.update, again.resourceChanges?.update], [12, 12]);
    await stack.up({ expectNoChanges: true });
  });

  it("imports what is there by the ids of the official plugin, and changes nothing after that", async () => {
    const { outputs } = await stack.up();
    const { ids, userData } = { ids: outputs.ids?.value, userData: outputs.userData?.value };
    const cidrBlock = `${cloud.slot.cidrBlock.split(".").slice(0, 3).join(".")}.0/24`;
    const program = async () => {
      const from = (id: string) => ({ import: id, retainOnDelete: true });
      const tags = { Name: "shop", "handover:site": "shop" };
      const subnet = { vpcId: ids.vpc, cidrBlock, availabilityZone: "us-east-1a" };
      const server = { ami: "ami-0a1b2c3d4e5f60001", instanceType: "t3.small", subnetId: ids.subnet, userData, tags };
      const route = { routeTableId: ids.table, destinationCidrBlock: "0.0.0.0/0", gatewayId: ids.gateway };
      new aws.ec2.Vpc("vpc", { cidrBlock: cloud.slot.cidrBlock, tags }, from(ids.vpc));
      new aws.ec2.Subnet("subnet", subnet, from(ids.subnet));
      new aws.ec2.Route("out", route, from(`${ids.table}_0.0.0.0/0`));
      new aws.ec2.Instance("blue", server, from(ids.blue));
      const attachment = { targetGroupArn: ids.targets, targetId: ids.blue };
      new aws.lb.TargetGroupAttachment("blue", attachment, from(`${ids.targets},${ids.blue}`));
    };
    const adopting = await LocalWorkspace.createOrSelectStack(
      { stackName: "adopting", projectName: "handover", program },
      { workDir: directory, envVars: stack.workspace.envVars },
    );
    const { summary } = await adopting.up();
    assert.deepEqual(summary.resourceChanges, { create: 1, import: 5 });
    await adopting.refresh({ expectNoChanges: true });
    await adopting.up({ expectNoChanges: true });
    await adopting.destroy();
    await stack.refresh({ expectNoChanges: true });
  });

  it("shows an error as AWS's code, message and request", async () => {
    const program = async () => {
      new aws.ec2.Instance("bad", { ami: "ami-00000000000000000", instanceType: "t3.small" });
    };
    const bad = LocalWorkspace.createOrSelectStack(
      { stackName: "bad", projectName: "handover", program },
      { workDir: directory, envVars: stack.workspace.envVars },
    );
    await assert.rejects(
      bad.then((other) => other.up()),
      /AWS InvalidAMIID\.\w+: .* \(request \S+\)/,
    );
  });

  it("says which input it does not support", async () => {
    const program = async () => {
      new aws.ec2.Vpc("bad", { cidrBlock: "10.0.0.0/16", ipv4NetmaskLength: 24 });
    };
    const bad = LocalWorkspace.createOrSelectStack(
      { stackName: "unsupported", projectName: "handover", program },
      { workDir: directory, envVars: stack.workspace.envVars },
    );
    await assert.rejects(
      bad.then((other) => other.preview()),
      /ipv4NetmaskLength is not supported by Handover's provider/,
    );
  });

  it("leaves nothing behind", async () => {
    await stack.destroy();
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand());
    const states = Reservations.flatMap(({ Instances = [] }) => Instances.map(({ State }) => State?.Name));
    assert.ok(states.every((state) => state === "terminated"));
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  const [data] = await once(child.stdout ?? child, "data");
  return String(data).split("\n")[0] ?? "";
}
