import assert from "node:assert/strict";
import {
  type Address,
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeAddressesCommand,
  DescribeSubnetsCommand,
  DisassociateAddressCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { handover, run } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-elastic-ips";

describe("Elastic IPs that the file names", () => {
  let site: Site;
  let ec2: EC2Client;
  /** Those of the site in their order: its own two, and one that was there before. */
  let own: readonly string[];
  let named: string;

  before(async () => {
    site = await Site.up(name, (config) => {
      delete config["handover:site"].database;
      delete config["handover:upgrade"].migrate;
      config["handover:site"].elasticIps = 1;
    });
    ec2 = new EC2Client(site.settings);
    named = (await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }))).AllocationId ?? "";
    own = (await site.status()).addresses.map(({ allocationId }) => allocationId);
  });
  after(async () => {
    ec2?.destroy();
    // A `pulumi destroy` does more than docs/iam-policy.json allows.
    await handover("sandbox", "down", "--name", name);
  });

  const list = (ids: unknown) =>
    site.edit((config) => {
      config["handover:site"].elasticIps = ids;
    });

  async function pulumi(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", name, "--non-interactive"], site.env);
    assert.equal(exitCode, 0, stdout + stderr);
    return stdout;
  }

  async function refused(problem: RegExp): Promise<void> {
    const up = await run("pulumi", ["up", "--yes", "--skip-preview", "--stack", name, "--non-interactive"], site.env);
    assert.notEqual(up.exitCode, 0, up.stdout);
    assert.match(up.stdout + up.stderr, problem);
    for (const command of ["upgrade", "plan"]) {
      const { exitCode, stdout, stderr } = await handover(command, "--stack", name);
      assert.equal(exitCode, 1, stdout + stderr);
      assert.match(stderr, problem);
    }
  }

  async function addresses(): Promise<Record<string, Address>> {
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    return Object.fromEntries(Addresses.map((address) => [address.AllocationId ?? "", address]));
  }

  it("may be the site's very own, which changes nothing, there and back", async () => {
    const before = await addresses();
    list(own);
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    await pulumi("preview", "--expect-no-changes");
    list(1);
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    list({ count: 1, ipamPoolId: "ipam-pool-0a1b" });
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    assert.deepEqual(await addresses(), before);
  });

  it("are refused by name, before anything is changed, where they cannot be had", async () => {
    const before = await addresses();
    list({ count: 2, ipamPoolId: "ipam-pool-0a1b" });
    const { exitCode, stderr } = await handover("upgrade", "--stack", name);
    assert.equal(exitCode, 1);
    assert.match(stderr, /elasticIps\.ipamPoolId: ipam-pool-0a1b does not exist in this region/);
    list([...own, "eipalloc-0000000000000000f"]);
    await refused(/elasticIps: eipalloc-0000000000000000f does not exist in this region/);
    list([named, ...own]);
    await refused(/elasticIps\[0\]: is eipalloc-\w+, and [\d.]+ \(eipalloc-\w+\) has that place/);
    const { Subnets: [{ SubnetId } = {}] = [] } = await ec2.send(
      new DescribeSubnetsCommand({ Filters: [{ Name: "tag:handover:site", Values: [`handover-${name}`] }] }),
    );
    const { NetworkInterface } = await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId }));
    const { NetworkInterfaceId } = NetworkInterface ?? {};
    const { AssociationId } = await ec2.send(
      new AssociateAddressCommand({ AllocationId: named, NetworkInterfaceId, AllowReassociation: true }),
    );
    list([...own, named]);
    await refused(new RegExp(`elasticIps: ${named} .* is associated with ${NetworkInterfaceId}, which is no server`));
    await ec2.send(new DisassociateAddressCommand({ AssociationId }));
    await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
    assert.deepEqual((await addresses())[own[0] ?? ""], before[own[0] ?? ""]);
  });

  it("are used, and move with an upgrade and a rollback like the site's own", async () => {
    list([...own, named]);
    const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", name);
    assert.equal(exitCode, 0, stdout + stderr);
    const status = await site.status();
    assert.deepEqual(
      status.addresses.map(({ allocationId, heldBy, instanceId }) => [allocationId, heldBy === instanceId]),
      [...own, named].map((id) => [id, true]),
    );
    assert.equal((await addresses())[named]?.Tags?.length ?? 0, 0);
    const traffic = await site.traffic();
    site.setGoal("green");
    const paused = await handover("upgrade", "--stack", name, "--pause-before", "observe");
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    const back = await handover("rollback", "--stack", name);
    assert.equal(back.exitCode, 0, back.stdout + back.stderr);
    const forth = await handover("upgrade", "--stack", name);
    assert.equal(forth.exitCode, 0, forth.stdout + forth.stderr);
    const { failed, failures } = await traffic.stop();
    assert.equal(failed, 0, JSON.stringify(failures));
    const green = (await site.status()).generations.green?.frontends.map(({ instanceId }) => instanceId) ?? [];
    const held = await addresses();
    assert.deepEqual(
      [...own, named].map((id) => held[id]?.InstanceId),
      green,
    );
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("do not leave the site because the list has fewer, and stay named", async () => {
    const before = await addresses();
    list(own);
    await refused(/elasticIps: was 2 and is 1: [\d.]+ would be on no server.*releaseAddresses/);
    list(2);
    await refused(/elasticIps: names [\d.]+ no more/);
    assert.deepEqual(await addresses(), before);
  });

  it("leave it where they may be given up, and are not released, whatever happens", async () => {
    const before = await addresses();
    const publicIp = before[named]?.PublicIp;
    list([...own, named]);
    site.edit((config) => {
      config["handover:site"].releaseAddresses = [publicIp];
    });
    await pulumi("up", "--yes", "--skip-preview");
    list(own);
    await pulumi("up", "--yes", "--skip-preview");
    const free = (await addresses())[named];
    assert.deepEqual([free?.PublicIp, free?.AssociationId ?? ""], [publicIp, ""]);
    list([...own, named]);
    await pulumi("up", "--yes", "--skip-preview");
    await pulumi("state", "unprotect", "--all", "--yes");
    await pulumi("destroy", "--yes", "--skip-preview");
    const left = await addresses();
    assert.deepEqual([left[named]?.PublicIp, left[own[0] ?? ""]], [publicIp, undefined]);
  });
});
