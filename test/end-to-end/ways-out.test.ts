import assert from "node:assert/strict";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { problemsOf } from "../../sandbox/traffic/report.ts";
import { handover } from "./command-line.ts";
import { type MadeNetwork, siteInNetwork } from "./networks.ts";
import type { Site } from "./site.ts";

describe("a site behind a NAT gateway", () => {
  let site: Site;
  let network: MadeNetwork;

  before(async () => {
    const made = await siteInNetwork("sandbox-behind-nat", ["NAT gateway", "NAT gateway"], (config) => {
      config["handover:site"].elasticIps = 0;
    });
    ({ site, network } = made);
  });
  after(() => site?.down());

  const upgrade = async () => {
    const { exitCode, stdout, stderr } = await handover("upgrade", "--stack", site.name);
    assert.equal(exitCode, 0, stdout + stderr);
  };

  /** What a service outside sees of each server that runs. */
  async function seenOutside(): Promise<string[]> {
    const ec2 = new EC2Client(site.settings);
    const Filters = [{ Name: "instance-state-name", Values: ["running"] }];
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
    ec2.destroy();
    const servers = Reservations.flatMap(({ Instances = [] }) => Instances);
    return Promise.all(
      servers.map(async ({ PrivateIpAddress }) => {
        const answer = await fetch(`http://${PrivateIpAddress}:8080/health/outside`);
        return `${answer.status} ${(await answer.text()).trim()}`;
      }),
    );
  }

  it("calls others by the gateway's address, before and after an upgrade, and has a way out all along", async () => {
    await upgrade();
    const before = await seenOutside();
    assert.deepEqual(new Set(before), new Set([`200 ${network.natAddress}`]));
    const traffic = await site.traffic();
    site.setGoal("green");
    await upgrade();
    const report = await traffic.stop();
    assert.deepEqual([problemsOf(report), report.withoutWayOut], [[], 0], JSON.stringify(report.servedWithoutWayOut));
    assert.ok((report.byGeneration.green ?? 0) > 0);
    assert.deepEqual(await seenOutside(), before);
  });
});
