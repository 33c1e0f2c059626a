import assert from "node:assert/strict";
import {
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { editStack, environmentOf, handover, run } from "./command-line.ts";

const name = "sandbox-by-hand";

describe("stepping by hand with pulumi", () => {
  let env: NodeJS.ProcessEnv = {};

  async function pulumi(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", name, "--non-interactive"], env);
    assert.equal(exitCode, 0, `pulumi ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  before(async () => {
    const { exitCode, stdout, stderr } = await handover("sandbox", "up", "--name", name);
    assert.equal(exitCode, 0, stdout + stderr);
    env = await environmentOf(name);
  });

  after(async () => {
    await handover("sandbox", "down", "--name", name);
  });

  it("changes nothing with a plain update after `sandbox up`", async () => {
    await pulumi("up", "--yes", "--expect-no-changes");
  });

  it("refuses to jump to another generation in one update, and only warns in a preview", async () => {
    editStack(name, (config) => {
      config["handover:live"] = "green";
    });
    const { exitCode, stdout, stderr } = await run(
      "pulumi",
      ["up", "--yes", "--stack", name, "--non-interactive", "--skip-preview"],
      env,
    );
    assert.notEqual(exitCode, 0);
    assert.match(
      stdout + stderr,
      /handover:live is green, but blue serves[\s\S]*handover upgrade[\s\S]*handover:phase/,
    );
    assert.match(await pulumi("preview"), /handover:live is green, but blue serves/);
  });

  for (const phase of [
    "backup",
    "migrate",
    "launch-first",
    "launch-rest",
    "connect",
    "move-addresses",
    "observe",
    "drain",
    "retire",
  ]) {
    it(`steps through ${phase}; a second update changes nothing, and a refresh finds no drift`, async () => {
      await pulumi("config", "set", "handover:phase", phase);
      await pulumi("up", "--yes", "--skip-preview");
      await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
      await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    });
  }

  it("is at the goal then: a plain update changes nothing", async () => {
    await pulumi("config", "rm", "handover:phase");
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    assert.equal((await pulumi("stack", "output", "live")).trim(), "green");
  });

  it("leaves nothing in the cloud but the snapshot after `pulumi destroy`", async () => {
    await pulumi("destroy", "--yes", "--skip-preview");
    const settings = {
      endpoint: env.AWS_ENDPOINT_URL,
      region: env.AWS_REGION,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    };
    const ec2 = new EC2Client(settings);
    const balancing = new ElasticLoadBalancingV2Client(settings);
    const instances =
      (await ec2.send(new DescribeInstancesCommand({}))).Reservations?.flatMap(({ Instances = [] }) => Instances) ?? [];
    assert.deepEqual(
      instances.filter(({ State }) => State?.Name !== "terminated"),
      [],
    );
    const own = { Filters: [{ Name: "tag:handover:site", Values: [`handover-${name}`] }] };
    assert.deepEqual((await ec2.send(new DescribeVpcsCommand(own))).Vpcs, []);
    assert.deepEqual((await balancing.send(new DescribeLoadBalancersCommand({}))).LoadBalancers, []);
    assert.equal((await ec2.send(new DescribeSnapshotsCommand(own))).Snapshots?.length, 1);
    ec2.destroy();
    balancing.destroy();
  });
});
