import assert from "node:assert/strict";
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVpcsCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
} from "@aws-sdk/client-ec2";
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { observer } from "../../sandbox/observer.ts";
import { editStack, environmentOf, handover, run } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-by-hand";

describe("stepping by hand with pulumi", () => {
  let env: NodeJS.ProcessEnv = {};

  async function pulumi(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", name, "--non-interactive"], env);
    assert.equal(exitCode, 0, `pulumi ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  const ec2 = () =>
    new EC2Client({
      endpoint: env.AWS_ENDPOINT_URL,
      region: env.AWS_REGION,
      credentials: observer,
    });

  async function inUse() {
    const { Addresses = [] } = await ec2().send(new DescribeAddressesCommand({}));
    const { Reservations = [] } = await ec2().send(new DescribeInstancesCommand({}));
    const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
    return {
      addresses: Addresses.map(({ PublicIp }) => PublicIp).sort(),
      servers: instances.flatMap(({ InstanceId, State }) => (State?.Name === "running" ? [InstanceId] : [])).sort(),
    };
  }

  /** A volume of data at a generation's first server, which would end with it. */
  async function attachDisk(generation: string) {
    const generations = JSON.parse(await pulumi("stack", "output", "generations", "--json"));
    const { instanceId } = generations[generation].frontends[0];
    const { Reservations = [] } = await ec2().send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const { AvailabilityZone } = Reservations[0]?.Instances?.[0]?.Placement ?? {};
    const { VolumeId: volumeId } = await ec2().send(new CreateVolumeCommand({ Size: 20, AvailabilityZone }));
    const Device = "/dev/sdf";
    await ec2().send(new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device }));
    const BlockDeviceMappings = [{ DeviceName: Device, Ebs: { DeleteOnTermination: true } }];
    await ec2().send(new ModifyInstanceAttributeCommand({ InstanceId: instanceId, BlockDeviceMappings }));
    return { volumeId, instanceId };
  }

  before(async () => {
    const { exitCode, stdout, stderr } = await handover("sandbox", "up", "--name", name);
    assert.equal(exitCode, 0, stdout + stderr);
    env = await environmentOf(name);
  });

  after(async () => {
    await handover("sandbox", "down", "--name", name);
  });

  it("changes nothing with a plain update after `sandbox up`, and has nothing to say of it", async () => {
    await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    assert.doesNotMatch(await pulumi("up", "--yes", "--expect-no-changes"), /cannot ignore changes/);
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

  const refused = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(
      "pulumi",
      [...args, "--yes", "--stack", name, "--non-interactive"],
      env,
    );
    assert.notEqual(exitCode, 0, stdout);
    return stdout + stderr;
  };

  it("refuses to end a live server or to release an address because fewer are declared", async () => {
    const before = await inUse();
    const declared = async (change: Parameters<typeof editStack>[1], problem: RegExp) => {
      editStack(name, change);
      assert.match(await refused("up", "--skip-preview"), problem);
      const upgrade = await handover("upgrade", "--stack", name);
      assert.equal(upgrade.exitCode, 1, upgrade.stdout + upgrade.stderr);
      assert.match(upgrade.stderr, problem);
    };
    await declared((config) => {
      config["handover:live"] = "blue";
      config["handover:site"].elasticIps = 1;
    }, /elasticIps: was 2 and is 1: [\d.]+ would be released.*Put it back to 2/);
    await declared((config) => {
      config["handover:generations"].blue.frontends = 1;
    }, /blue\.frontends: is 1, but blue has 2 servers in use.*Put it back/);
    editStack(name, (config) => {
      config["handover:live"] = "green";
      config["handover:site"].elasticIps = 2;
      config["handover:generations"].blue.frontends = 2;
    });
    assert.deepEqual(await inUse(), before);
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
    if (phase === "retire")
      it("refuses to end servers together with a disk of data, and says how it stays", async () => {
        const { volumeId, instanceId } = await attachDisk("blue");
        await pulumi("config", "set", "handover:phase", phase);
        const said = await refused("up", "--skip-preview");
        assert.match(said, new RegExp(`AWS would delete ${volumeId} \\(/dev/sdf of ${instanceId}\\)`));
        const [, id, mappings = ""] = /--instance-id (\S+) --block-device-mappings '(.*)'/.exec(said) ?? [];
        await ec2().send(
          new ModifyInstanceAttributeCommand({ InstanceId: id, BlockDeviceMappings: JSON.parse(mappings) }),
        );
      });

    it(`steps through ${phase}; a refresh finds no drift, and a second update changes nothing`, async () => {
      await pulumi("config", "set", "handover:phase", phase);
      await pulumi("up", "--yes", "--skip-preview");
      await (await Site.of(name)).hasNoDrift();
      await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
      await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    });
  }

  it("is at the goal then: a plain update changes nothing", async () => {
    await pulumi("config", "rm", "handover:phase");
    await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    assert.equal((await pulumi("stack", "output", "live")).trim(), "green");
  });

  it("releases an address that is named, once its protection was taken off, and no other", async () => {
    const { addresses } = await inUse();
    const last = JSON.parse(await pulumi("stack", "output", "addresses", "--json")).at(-1).publicIp;
    editStack(name, (config) => {
      config["handover:site"].elasticIps = 1;
      config["handover:site"].releaseAddresses = [last];
    });
    assert.match(await refused("up", "--skip-preview"), /would be released/);
    editStack(name, (config) => {
      config["handover:site"].elasticIps = 2;
    });
    await pulumi("up", "--yes", "--skip-preview");
    assert.deepEqual((await inUse()).addresses, addresses);
    editStack(name, (config) => {
      config["handover:site"].elasticIps = 1;
    });
    await pulumi("up", "--yes", "--skip-preview");
    assert.deepEqual(
      (await inUse()).addresses,
      addresses.filter((ip) => ip !== last),
    );
  });

  it("keeps addresses and load balancer from `pulumi destroy` until somebody unprotects them", async () => {
    const { addresses } = await inUse();
    assert.match(await refused("destroy", "--skip-preview"), /protect/);
    assert.deepEqual((await inUse()).addresses, addresses);
    await pulumi("state", "unprotect", "--all", "--yes");
  });

  it("leaves nothing in the cloud but the snapshot after `pulumi destroy`", async () => {
    await pulumi("destroy", "--yes", "--skip-preview");
    const settings = {
      endpoint: env.AWS_ENDPOINT_URL,
      region: env.AWS_REGION,
      credentials: observer,
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
