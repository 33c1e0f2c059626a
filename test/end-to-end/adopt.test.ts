import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  DescribeInstanceCreditSpecificationsCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { projectDirectory } from "../../stacks/project.ts";
import { handover, run } from "./command-line.ts";
import { dataGib, emptySandbox, makeByHand } from "./hand-made.ts";
import { differences, type Site } from "./site.ts";

const name = "sandbox-adopt";

describe("a site that was made by hand", () => {
  let site: Site;
  let servers: readonly string[];
  let found: unknown;

  before(async () => {
    removeFiles();
    site = await emptySandbox(name);
    servers = (await makeByHand(site)).instanceIds;
    found = await serving();
  });
  after(async () => {
    await site.down();
    removeFiles();
  });

  function removeFiles(): void {
    for (const file of [`Pulumi.${name}.import.json`, `frontends/${name}-user-data`])
      rmSync(join(projectDirectory, file), { force: true });
  }

  function adopt(...options: readonly string[]): ReturnType<typeof handover> {
    const balancer = options.includes("--load-balancer") ? [] : ["--load-balancer", "www-alb"];
    return handover("adopt", "--stack", name, ...balancer, "--hostname", "www.staging.example.com", ...options);
  }

  async function pulumi(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--stack", name, "--non-interactive"], site.env);
    assert.equal(exitCode, 0, `pulumi ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async function changingCalls(): Promise<Record<string, number>> {
    const calls = Object.entries(await site.calls());
    return Object.fromEntries(calls.filter(([call]) => !/\.(Describe|Get|Query|List|Decrypt)/.test(call)));
  }

  /** What serves. The sandbox describes a listener as it was written, AWS always both ways. */
  async function serving(): Promise<unknown> {
    const { Rules, LaunchTemplates, Listeners, ...rest } = (await site.cloud()) as Record<string, unknown>;
    return rest;
  }

  it("is described without one call that changes it, the holders of Elastic IPs first, and never twice over", async () => {
    const before = await changingCalls();
    const { exitCode, stdout, stderr } = await adopt("--json");
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(await changingCalls(), before);
    const { frontends, elasticIps } = JSON.parse(stdout);
    assert.deepEqual([frontends.toSorted(), elasticIps], [servers.toSorted(), 2]);
    assert.equal(frontends[2], servers[0]);
    const again = await adopt();
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /Pulumi\.sandbox-adopt\.yaml .*would be overwritten/);
  });

  it("is refused with exit code 1 and a message when AWS does not know what is named", async () => {
    for (const [options, problem] of [
      [["--load-balancer", "other"], /there is no load balancer other in us-east-1\.\nNothing was written\./],
      [["--database", "vol-0fffffffffffffff0"], /there is no EBS volume or RDS instance vol-0fffffffffffffff0/],
      [["--database", "other"], /there is no EBS volume or RDS instance other/],
      [["--listener-port", "443"], /no listener on port 443; ports: 8000/],
    ] as const) {
      const { exitCode, stdout, stderr } = await adopt("--force", ...options);
      assert.deepEqual([exitCode, stdout], [1, ""], stderr);
      assert.match(stderr, problem);
    }
  });

  it("is imported, and the first update only adds; a second preview shows no change", async () => {
    await run("pulumi", ["stack", "init", name, "--non-interactive"], site.env);
    const file = `Pulumi.${name}.import.json`;
    await pulumi("import", "--file", file, "--generate-code=false", "--protect=false", "--yes");
    const { changeSummary } = JSON.parse(await pulumi("preview", "--json"));
    const { same, read, ...changes } = changeSummary;
    assert.ok(same > 0);
    assert.deepEqual(changes, { create: 4 });
    await pulumi("up", "--yes", "--skip-preview");
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--yes", "--skip-preview");
    await pulumi("preview", "--expect-no-changes");
    assert.deepEqual(differences(await serving(), found), []);
  });

  /** Volumes of the servers' data, with whether each is attached. */
  async function dataVolumes(): Promise<Record<string, string | undefined>> {
    const ec2 = new EC2Client(site.settings);
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}));
    ec2.destroy();
    return Object.fromEntries(
      Volumes.filter(({ Size }) => Size === dataGib).map(({ VolumeId = "", State }) => [VolumeId, State]),
    );
  }

  const asMade = { team: "web", ofVolume: "web", monitoring: "enabled", hopLimit: 2, credits: "standard" };

  /** What the servers that were made by hand have, and no image or type decides. */
  async function settingsOf(instanceId: string) {
    const ec2 = new EC2Client(site.settings);
    const InstanceIds = [instanceId];
    const [{ Reservations = [] }, { Volumes = [] }, { InstanceCreditSpecifications = [] }] = await Promise.all([
      ec2.send(new DescribeInstancesCommand({ InstanceIds })),
      ec2.send(new DescribeVolumesCommand({ Filters: [{ Name: "attachment.instance-id", Values: InstanceIds }] })),
      ec2.send(new DescribeInstanceCreditSpecificationsCommand({ InstanceIds })),
    ]);
    ec2.destroy();
    const { Tags, Monitoring, MetadataOptions } = Reservations[0]?.Instances?.[0] ?? {};
    const team = (tags: typeof Tags = []) => tags.find(({ Key }) => Key === "team")?.Value;
    return {
      team: team(Tags),
      ofVolume: team(Volumes[0]?.Tags),
      monitoring: Monitoring?.State,
      hopLimit: MetadataOptions?.HttpPutResponseHopLimit,
      credits: InstanceCreditSpecifications[0]?.CpuCredits,
    };
  }

  it("is upgraded, taken back and upgraded again without a lost request, and keeps every disk of data", async () => {
    site.edit((config) => {
      config["handover:generations"].green = {
        extends: "blue",
        instanceType: "t3.medium",
        inputs: { APP_REVISION: "42" },
      };
      config["handover:live"] = "green";
      config["handover:upgrade"] = {
        stableSeconds: 1,
        shiftPercent: [50],
        stepSeconds: 0,
        bakeSeconds: 1,
        comparison: { enabled: false },
        probe: { enabled: false },
        gateSeconds: 30,
      };
    });
    const traffic = await site.traffic();
    const disks = Object.keys(await dataVolumes());
    assert.equal(disks.length, servers.length);
    for (const [expected, ...args] of [
      [3, "upgrade", "--pause-before", "observe"],
      [0, "rollback"],
    ] as const) {
      const { exitCode, stdout, stderr } = await handover(...args, "--stack", name);
      assert.equal(exitCode, expected, stdout + stderr);
    }
    assert.deepEqual(differences(await serving(), found), []);
    const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", name);
    const report = await traffic.stop();
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(await dataVolumes(), Object.fromEntries(disks.map((id) => [id, "available"])));
    for (const id of disks) assert.match(stdout + stderr, new RegExp(`${id} .*stays when its server ends`));
    assert.equal(report.failed, 0, JSON.stringify(report.failures));
    assert.ok((report.byGeneration.green ?? 0) > 0 && report.requests > 0);
    await pulumi("preview", "--expect-no-changes");
    const { live, generations } = await site.status();
    assert.deepEqual([live, Object.keys(generations)], ["green", ["green"]]);
    for (const { instanceId } of generations.green?.frontends ?? [])
      assert.deepEqual(await settingsOf(instanceId), asMade);
  });
});
