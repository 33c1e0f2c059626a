import assert from "node:assert/strict";
import {
  AssociateAddressCommand,
  EC2Client,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  DeregisterTargetsCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Status } from "../../automation/cli/commands/status.ts";
import { cloudProblems } from "../../sandbox/chaos/cloud-check.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

describe("going back when something was changed in AWS beside the run", () => {
  let site: Site;
  let ec2: EC2Client;
  let balancing: ElasticLoadBalancingV2Client;
  let runs = 0;

  before(async () => {
    site = await Site.up("sandbox-beside", (config) => {
      config["handover:upgrade"].gateSeconds = 60;
    });
    site.setGoal("green");
    ec2 = new EC2Client(site.settings);
    balancing = new ElasticLoadBalancingV2Client(site.settings);
  });
  after(async () => {
    ec2.destroy();
    balancing.destroy();
    await site.down();
  });

  const serverOf = ({ generations }: Status, name: string, index = 0) => {
    const server = generations[name]?.frontends[index];
    assert.ok(server !== undefined, `${name}-${index + 1}`);
    return server;
  };

  async function pausedBefore(phase: string): Promise<Status> {
    runs++;
    const paused = await drive(["upgrade", "--stack", site.name, "--pause-before", phase]);
    assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
    return site.status();
  }

  /** What the event itself cuts is over then. */
  async function until(
    servers: readonly { name: string; instanceId: string }[],
    seen: (server: Awaited<ReturnType<Site["server"]>>) => boolean,
  ) {
    await eventually(
      async () => (await Promise.all(servers.map(({ instanceId }) => site.server(instanceId)))).every(seen),
      `${servers.map(({ name }) => name)} to be as they are in AWS`,
    );
  }

  async function goesBack(command: string, expected: number): Promise<void> {
    const traffic = await site.traffic();
    const { exitCode, last, stdout } = await drive([command, "--stack", site.name]);
    const { failed, failures } = await traffic.stop();
    assert.deepEqual([exitCode, last.outcome, last.live], [expected, "rolled-back", "blue"], stdout);
    const cut = failures.filter(({ generation }) => generation !== undefined);
    assert.deepEqual([failed, cut], [0, []], JSON.stringify(failures));
    const check = { live: "blue", frontends: 2, site: `handover-${site.name}`, runs };
    assert.deepEqual(await cloudProblems(check, site.settings), []);
  }

  it("launches an old server anew that somebody terminated, and proves it before its address comes back", async () => {
    const victim = serverOf(await pausedBefore("observe"), "blue");
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [victim.instanceId] }));
    await until([victim], ({ state, health }) => state === "terminated" && !health.includes("healthy"));
    const { stdout } = await handover("status", "--stack", site.name);
    assert.match(stdout, new RegExp(`${victim.name} +${victim.instanceId} .*terminated`));
    await goesBack("rollback", 0);
  });

  it("launches all old servers anew when none is left", async () => {
    const status = await pausedBefore("drain");
    const victims = [serverOf(status, "blue", 0), serverOf(status, "blue", 1)];
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: victims.map(({ instanceId }) => instanceId) }));
    await until(victims, ({ state }) => state === "terminated");
    await goesBack("rollback", 0);
  });

  it("gives users back what can serve while an old server is stopped, leaves its address where it is answered, and says how to go on", async () => {
    const status = await pausedBefore("drain");
    const victim = serverOf(status, "blue");
    await ec2.send(new StopInstancesCommand({ InstanceIds: [victim.instanceId] }));
    await until([victim], ({ state }) => state === "stopped");
    const { exitCode, stdout, last } = await drive(["rollback", "--stack", site.name]);
    assert.deepEqual([exitCode, last.outcome], [3, "paused"], stdout);
    const { message, next } = last as { message: string; next: string };
    assert.match(message, new RegExp(`aws ec2 start-instances .*${victim.instanceId}`));
    const { addresses } = await site.status();
    const holders = [serverOf(status, "green").instanceId, serverOf(status, "blue", 1).instanceId];
    assert.deepEqual(
      addresses.map(({ heldBy }) => heldBy),
      holders,
    );
    assert.match(message, /blue serves without it/);
    await ec2.send(new StartInstancesCommand({ InstanceIds: [victim.instanceId] }));
    await goesBack(next.split(" ")[1] ?? "", 2);
  });

  it("registers an old server again that somebody deregistered, and takes an address back that somebody moved", async () => {
    const status = await pausedBefore("observe");
    const victim = serverOf(status, "blue", 1);
    const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    for (const { TargetGroupArn } of TargetGroups)
      await balancing.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: victim.instanceId }] }));
    const AllocationId = status.addresses[0]?.allocationId;
    const other = { AllocationId, InstanceId: victim.instanceId, AllowReassociation: true };
    await ec2.send(new AssociateAddressCommand(other));
    await until([victim], ({ health }) => health.length === 0);
    const { addresses } = await site.status();
    assert.equal(addresses[0]?.heldBy, victim.instanceId);
    await goesBack("rollback", 0);
    site.excuseWaysOut();
  });
});
