import assert from "node:assert/strict";
import {
  DescribeListenersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { Client } from "../../sandbox/traffic/client.ts";
import { startTraffic, type TrafficReport } from "../../sandbox/traffic/traffic.ts";
import { drive, run } from "./command-line.ts";
import { Site } from "./site.ts";

/** An entry on a port of its own, whose health is asked for on a third. */
const admin = {
  port: 9000,
  listeners: [{ port: 9000 }],
  healthCheck: { path: "/health", port: 9001 },
  deregistrationDelaySeconds: 2,
  smoke: [{ path: "/" }],
};

describe("a site with two entries", () => {
  let site: Site;
  let balancing: ElasticLoadBalancingV2Client;

  before(async () => {
    site = await Site.up("sandbox-entries", (config) => {
      const { port, ...settings } = config["handover:site"].loadBalancer;
      const listeners = [{ port }, { port: port + 1, redirectTo: port }];
      Object.assign(config["handover:site"], { loadBalancer: { ...settings, listeners }, entries: { admin } });
    });
    balancing = new ElasticLoadBalancingV2Client(site.settings);
  });
  after(async () => {
    balancing.destroy();
    await site.down();
  });

  /** Load on the first entry with its addresses, and on the other, until what is done under it is over. */
  async function underLoad<T>(work: () => Promise<T>): Promise<{ result: T; reports: readonly TrafficReport[] }> {
    const { loadBalancer, entries } = await site.status();
    const { dnsName: host = "", port = 0 } = entries?.admin ?? {};
    assert.notEqual(port, loadBalancer?.port);
    const loads = [
      await site.traffic(),
      await startTraffic({
        loadBalancer: { host, port, hostHeader: "www.staging.example.com" },
        addresses: [],
        networkUrl: slot(get(site.name).slot).network.url,
        requestsPerSecond: 25,
      }),
    ];
    const result = await work();
    return { result, reports: await Promise.all(loads.map((load) => load.stop())) };
  }

  /** The port of each listener that forwards, with its weights. */
  async function weights(): Promise<Record<string, number[]>> {
    const { TargetGroups: [group] = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    const LoadBalancerArn = group?.LoadBalancerArns?.[0];
    const { Listeners = [] } = await balancing.send(new DescribeListenersCommand({ LoadBalancerArn }));
    return Object.fromEntries(
      Listeners.flatMap(({ Port, DefaultActions: [action] = [] }) => {
        const { TargetGroups } = action?.ForwardConfig ?? {};
        return TargetGroups === undefined ? [] : [[String(Port), TargetGroups.map(({ Weight = 0 }) => Weight).sort()]];
      }),
    );
  }

  /** How many servers each target group has, by its port. */
  async function registered(): Promise<string[]> {
    const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    const each = TargetGroups.map(async ({ TargetGroupArn, Port }) => {
      const { TargetHealthDescriptions = [] } = await balancing.send(
        new DescribeTargetHealthCommand({ TargetGroupArn }),
      );
      return `${Port}: ${TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State).join(" ")}`;
    });
    return (await Promise.all(each)).sort();
  }

  function failuresOf(reports: readonly TrafficReport[]): number[] {
    for (const { requests } of reports) assert.ok(requests > 100, `${requests} requests`);
    return reports.map(({ failed }) => failed);
  }

  it("has a target group of each generation for both, and none more to do", async () => {
    assert.deepEqual(await registered(), ["8080: healthy healthy", "9000: healthy healthy"]);
    const { exitCode, stdout, stderr } = await run(
      "pulumi",
      ["preview", "--stack", site.name, "--expect-no-changes"],
      site.env,
    );
    assert.equal(exitCode, 0, stdout + stderr);
  });

  it("sends whoever comes to the second listener to the first, at which a server answers", async () => {
    const { loadBalancer } = await site.status();
    const { dnsName: host = "", port = 0 } = loadBalancer ?? {};
    const client = new Client(5_000);
    const statuses = [port, port + 1].map(async (each) => {
      return (await client.get({ host, port: each, hostHeader: "www.staging.example.com" }, "/", false)).status;
    });
    assert.deepEqual(await Promise.all(statuses), [200, 301]);
    client.close();
  });

  it("is upgraded under load on both, with no request lost, and goes back and there again", async () => {
    for (const [goal, other] of [
      ["green", "blue"],
      ["blue", "green"],
      ["green", "blue"],
    ] as const) {
      site.setGoal(goal);
      const { result, reports } = await underLoad(() => drive(["upgrade", "--stack", site.name]));
      assert.equal(result.exitCode, 0, result.stdout + result.stderr);
      assert.deepEqual(failuresOf(reports), [0, 0], JSON.stringify(reports.map(({ failures }) => failures)));
      for (const { byGeneration } of reports) {
        assert.ok((byGeneration[goal] ?? 0) > 0 && (byGeneration[other] ?? 0) > 0, JSON.stringify(byGeneration));
      }
      assert.deepEqual(await registered(), ["8080: healthy healthy", "9000: healthy healthy"]);
    }
  });

  it("gives a generation no request of either, whose servers are healthy in the first alone", async () => {
    site.edit((config) => {
      // They do not listen where the second entry asks them.
      config["handover:generations"].red = { extends: "green", inputs: { MORE_PORTS: "9001" } };
      config["handover:live"] = "red";
    });
    const { result, reports } = await underLoad(() => drive(["upgrade", "--stack", site.name]));
    assert.equal(result.exitCode, 2, result.stdout + result.stderr);
    assert.match(String(result.last.message), /admin/);
    assert.deepEqual(failuresOf(reports), [0, 0]);
    for (const { byGeneration } of reports) assert.equal(byGeneration.red, undefined, JSON.stringify(byGeneration));
    assert.deepEqual(Object.values(await weights()), [[100], [100]]);
  });

  it("goes back under load on both from a run that is paused while they are shared", async () => {
    site.edit((config) => {
      config["handover:generations"].red = { extends: "green" };
      config["handover:upgrade"].pauseBefore = ["observe"];
    });
    const { result, reports } = await underLoad(async () => {
      const paused = await drive(["upgrade", "--stack", site.name]);
      assert.equal(paused.exitCode, 3, paused.stdout + paused.stderr);
      const shared = await weights();
      return { shared, back: await drive(["rollback", "--stack", site.name]) };
    });
    assert.deepEqual(new Set(Object.values(result.shared).map(String)).size, 1, JSON.stringify(result.shared));
    assert.equal(result.back.exitCode, 0, result.back.stdout + result.back.stderr);
    assert.deepEqual(failuresOf(reports), [0, 0], JSON.stringify(reports.map(({ failures }) => failures)));
    assert.deepEqual(await registered(), ["8080: healthy healthy", "9000: healthy healthy"]);
  });
});
