import assert from "node:assert/strict";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { problemsOf } from "../../sandbox/traffic/report.ts";
import { handover } from "./command-line.ts";
import { type MadeNetwork, siteInNetwork, type Way } from "./networks.ts";
import type { Site } from "./site.ts";

/** Where an Elastic IP is reached: on a frontend in a subnet with an internet gateway. */
const sites: readonly (readonly [where: string, name: string, ways: readonly [Way, Way], elasticIps: number])[] = [
  ["behind a NAT gateway", "nat", ["NAT gateway", "NAT gateway"], 0],
  ["in public subnets", "public", ["internet gateway", "internet gateway"], 1],
  ["in a public subnet and one behind a NAT gateway", "mixed", ["internet gateway", "NAT gateway"], 1],
];

for (const [where, short, ways, elasticIps] of sites)
  describe(`a site ${where}`, () => {
    let site: Site;
    let network: MadeNetwork;

    before(async () => {
      const made = await siteInNetwork(`sandbox-out-${short}`, ways, (config) => {
        config["handover:site"].elasticIps = elasticIps;
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

    it("calls others by an address, before and after an upgrade, and has a way out all along", async () => {
      await upgrade();
      const check = async () => {
        const seen = await seenOutside();
        assert.ok(seen.length > 0);
        assert.deepEqual(
          seen.filter((each) => !each.startsWith("200 ")),
          [],
        );
        const throughGateway = seen.filter((each) => each === `200 ${network.natAddress}`).length;
        assert.equal(throughGateway > 0, ways.includes("NAT gateway"));
        assert.equal(throughGateway < seen.length, ways.includes("internet gateway"));
      };
      await check();
      const traffic = await site.traffic();
      site.setGoal("green");
      await upgrade();
      const report = await traffic.stop();
      assert.deepEqual(problemsOf(report), []);
      assert.ok((report.byGeneration.green ?? 0) > 0);
      await check();
    });
  });
