import assert from "node:assert/strict";
import {
  DeregisterTargetsCommand,
  DescribeListenersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { Client } from "../../sandbox/traffic/client.ts";
import { startTraffic, type TrafficReport } from "../../sandbox/traffic/traffic.ts";
import { eventually } from "../sandbox/support.ts";
import { drive, handover, run } from "./command-line.ts";
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

  const underLoad = <T>(work: () => Promise<T>) => loadedWhile(site, work);

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

  const registered = () => registeredIn(balancing);

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

describe("a site that serves, and gets another entry", () => {
  let site: Site;
  let balancing: ElasticLoadBalancingV2Client;
  const both = ["8080: healthy healthy healthy", "9000: healthy healthy healthy"];

  before(async () => {
    site = await Site.up("sandbox-entry-added", (config) => {
      const { blue } = config["handover:generations"];
      Object.assign(blue, { array: { minSize: 1, maxSize: 2 }, inputs: { ...blue.inputs, MORE_PORTS: "9000" } });
    });
    balancing = new ElasticLoadBalancingV2Client(site.settings);
  });
  after(async () => {
    balancing.destroy();
    await site.down();
  });

  const setEntries = (entries: object | undefined) =>
    site.edit((config) => {
      config["handover:site"].entries = entries;
    });
  const pulumi = (...args: string[]) => run("pulumi", [...args, "--stack", site.name], site.env);

  it("does not get it together with a new generation", async () => {
    setEntries({ admin: { port: 9000, listeners: [{ port: 9000 }], deregistrationDelaySeconds: 2 } });
    site.setGoal("green");
    const { exitCode, stdout } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 1, stdout);
    assert.match(stdout, /handover:site\.entries\.admin: is new/);
    site.setGoal("blue");
  });

  it("does not get one that its servers do not answer: nothing is made for it", async () => {
    setEntries({ admin: { port: 9999, listeners: [{ port: 9000 }] } });
    const { exitCode, stdout } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 4, stdout);
    assert.match(stdout, /new entry answered \(admin\)/);
    assert.deepEqual(await registeredIn(balancing), both.slice(0, 1));
    setEntries({ admin: { port: 9000, listeners: [{ port: 9000 }], deregistrationDelaySeconds: 2 } });
  });

  it("registers the servers that it has, an array's too, and changes nothing else", async () => {
    const traffic = await site.traffic();
    const { exitCode, stdout, stderr } = await drive(["upgrade", "--stack", site.name]);
    const { failed, failures } = await traffic.stop();
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(failed, 0, JSON.stringify(failures));
    assert.deepEqual(await registeredIn(balancing), both);
    const preview = await pulumi("preview", "--expect-no-changes");
    assert.equal(preview.exitCode, 0, preview.stdout + preview.stderr);
    await site.hasNoDrift();
  });

  it("registers a server again that somebody took out of the second group alone", async () => {
    const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
    const { TargetGroupArn } = TargetGroups.find(({ Port }) => Port === 9000) ?? {};
    const [server] = (await site.status()).generations.blue?.frontends ?? [];
    const Targets = [{ Id: server?.instanceId }];
    await balancing.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets }));
    await eventually(async () => (await site.status()).missing.join() !== "", "it is missed");
    assert.match((await site.status()).missing.join(), /blue-1 .* is not registered with the load balancer/);
    const { exitCode, stdout, stderr } = await drive(["upgrade", "--stack", site.name]);
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(await registeredIn(balancing), both);
  });

  it("is planned and upgraded with its array under load on both, and no request is lost", async () => {
    site.setGoal("green");
    const plan = await handover("plan", "--stack", site.name, "--json");
    assert.equal(plan.exitCode, 0, plan.stdout + plan.stderr);
    assert.match(plan.stdout, /smoke through the test host name \(admin\)/);
    assert.doesNotMatch(plan.stdout, /forwards to the target group of blue/);
    const { result, reports } = await loadedWhile(site, () => drive(["upgrade", "--stack", site.name]));
    assert.equal(result.exitCode, 0, result.stdout + result.stderr);
    assert.deepEqual(failuresOf(reports), [0, 0], JSON.stringify(reports.map(({ failures }) => failures)));
    assert.deepEqual(await registeredIn(balancing), both);
  });

  it("loses it by an update of its own, and the first entry is not touched", async () => {
    setEntries(undefined);
    const traffic = await site.traffic();
    const refused = await drive(["upgrade", "--stack", site.name]);
    const up = await pulumi("up", "--yes", "--skip-preview");
    const { failed, failures } = await traffic.stop();
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stdout, /site\.admin/);
    assert.equal(up.exitCode, 0, up.stdout + up.stderr);
    assert.equal(failed, 0, JSON.stringify(failures));
    assert.deepEqual(await registeredIn(balancing), both.slice(0, 1));
    assert.equal((await site.status()).entries, undefined);
  });

  it("redirects from the port that its listener had to the one that it has now", async () => {
    const { loadBalancer } = await site.status();
    const { dnsName: host = "", port = 0 } = loadBalancer ?? {};
    site.edit((config) => {
      const { port: _, ...settings } = config["handover:site"].loadBalancer;
      const listeners = [{ port: port + 10 }, { port, redirectTo: port + 10 }];
      config["handover:site"].loadBalancer = { ...settings, listeners };
    });
    const up = await pulumi("up", "--yes", "--skip-preview");
    assert.equal(up.exitCode, 0, up.stdout + up.stderr);
    const client = new Client(5_000);
    const statusAt = async (each: number) => {
      return (await client.get({ host, port: each, hostHeader: "www.staging.example.com" }, "/", false)).status;
    };
    await eventually(async () => (await statusAt(port)) === 301 && (await statusAt(port + 10)) === 200, "it redirects");
    client.close();
  });
});

/** Load on the first entry with its addresses, and on the other, until what is done under it is over. */
async function loadedWhile<T>(
  site: Site,
  work: () => Promise<T>,
): Promise<{ result: T; reports: readonly TrafficReport[] }> {
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
  const stop = () => Promise.all(loads.map((load) => load.stop()));
  // One that goes on would keep the tests from ending.
  const result = await work().catch(async (error) => {
    await stop();
    throw error;
  });
  return { result, reports: await stop() };
}

function failuresOf(reports: readonly TrafficReport[]): number[] {
  for (const { requests } of reports) assert.ok(requests > 100, `${requests} requests`);
  return reports.map(({ failed }) => failed);
}

/** The states of what is registered in each target group, by its port. */
async function registeredIn(balancing: ElasticLoadBalancingV2Client): Promise<string[]> {
  const { TargetGroups = [] } = await balancing.send(new DescribeTargetGroupsCommand({}));
  const each = TargetGroups.map(async ({ TargetGroupArn, Port }) => {
    const { TargetHealthDescriptions = [] } = await balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    return `${Port}: ${TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State).join(" ")}`;
  });
  return (await Promise.all(each)).sort();
}
