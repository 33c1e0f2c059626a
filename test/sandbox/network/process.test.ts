import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startService, stopProcess } from "../../../sandbox/processes.ts";
import { FakeCloud } from "./fake-cloud.ts";
import { forward, get, group, healthCheck, refuses, sitePort, until, World } from "./world.ts";

describe("the network's process", () => {
  let world: World;
  let cloud: FakeCloud;
  let process_: ChildProcess;
  let directory: string;

  // The world holds the port of the slot's own cloud.
  const cloudPort = 4568;

  beforeEach(async () => {
    world = await World.start();
    cloud = new FakeCloud(world.slot.cloud.host, cloudPort);
    await cloud.start();
    directory = mkdtempSync(join(tmpdir(), "handover-network-"));
  });
  afterEach(async () => {
    await stopProcess(process_.pid);
    await cloud.stop();
    world.stop();
    rmSync(directory, { recursive: true });
  });

  const control = async (path: string) => {
    const { host, port } = world.slot.network;
    return JSON.parse((await get(host, port, path)).body);
  };
  const logFile = () => join(directory, "network.log");

  async function start(): Promise<void> {
    const { url: cloudUrl } = cloud;
    const options = {
      cloud: cloudUrl,
      host: world.slot.network.host,
      port: String(world.slot.network.port),
      database: "postgresql://127.0.0.1:1/",
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    process_ = await startService("network", {
      command: process.execPath,
      args: ["sandbox/network/main.ts", ...args, "--address-propagation-seconds", "0.01"],
      logFile: logFile(),
    });
  }

  it("is ready when it serves the first snapshot, follows the next ones, and ends on SIGTERM", async () => {
    cloud.publish({ instances: [world.instance(1)], addresses: [world.address(1, "i-1")] });
    await start();
    assert.equal((await get(world.publicIp(1), sitePort)).server, "i-1");

    const after = [world.instance(1), world.instance(2)];
    cloud.publish({ instances: after, addresses: [world.address(1, "i-2")] });
    await until(async () => (await control("/network/moves")).length === 1, "the address has moved");
    assert.equal((await get(world.publicIp(1), sitePort)).server, "i-2");
    const status = await control("/network/status");
    assert.equal(status.revision, 2);
    assert.deepEqual(
      status.addresses.map(({ holder, forwardsTo }: Record<string, string>) => [holder, forwardsTo]),
      [["i-2", `${world.ip(2)}:${sitePort}`]],
    );
    assert.equal((await get(world.slot.network.host, world.slot.network.port, "/nothing")).status, 404);

    const ended = once(process_, "exit");
    process_.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
    assert.ok(await refuses(get(world.ip(1), sitePort)));
  });

  it("tells whom servers without a way out served, and serves what is outside", async () => {
    const instances = [1, 2].map((number) => ({ ...world.instance(number), subnetId: "public" }));
    cloud.publish({
      instances: [{ ...instances[0], publicIp: "198.18.0.1" }, instances[1]] as typeof instances,
      subnets: [{ id: "public", defaultRoute: { target: "igw-1", publicIp: null } }],
      targetGroups: [group("blue", ["i-2"])],
      loadBalancers: [world.balancer(forward({ blue: 1 }))],
    });
    await start();
    assert.equal((await get(world.ip(1), sitePort, "/health/outside")).body, "198.18.0.1\n");
    await until(async () => (await world.get("/", { host: "www.example.com" })).status === 200, "it is healthy");
    const told = await control("/network/without-way-out?since=0");
    assert.deepEqual([told[0].instanceId, told[0].host, told[0].requests], ["i-2", "www.example.com", 1]);
    assert.deepEqual(await control(`/network/without-way-out?since=${Date.now() + 1}`), []);
    assert.deepEqual((await control("/network/status")).instances[1].wayOut, null);
  });

  it("reports the health of all targets after a snapshot, and then changes, until the cloud has taken them", async () => {
    cloud.refusesReports = true;
    const state = {
      instances: [world.instance(1), world.instance(2, { SIMULATE: "unhealthy" })],
      targetGroups: [group("blue", ["i-1", "i-2"])],
      loadBalancers: [world.balancer(forward({ blue: 1 }))],
    };
    const reported = () => cloud.reports.map((batch) => batch.map(({ instanceId, state }) => `${instanceId} ${state}`));
    cloud.publish(state);
    await start();
    await until(() => readFileSync(logFile(), "utf8").includes("did not take a health report"), "a report was refused");
    cloud.refusesReports = false;
    await until(() => reported().flat().includes("i-2 unhealthy"), "the unhealthy one is reported");
    assert.ok(reported().flat().includes("i-1 healthy"));
    const { reason, description } = cloud.reports.flat().find(({ state }) => state === "unhealthy") ?? {};
    assert.equal(
      `${reason}: ${description}`,
      "Target.ResponseCodeMismatch: Health checks failed with these codes: [500]",
    );

    cloud.reports.length = 0;
    cloud.publish({
      ...state,
      targetGroups: [group("blue", ["i-1", "i-2"], { healthCheck: healthCheck({ path: "/" }) })],
    });
    await until(() => reported().flat().includes("i-2 healthy"), "the other one is healthy too");
    assert.deepEqual(reported(), [["i-1 healthy", "i-2 unhealthy"], ["i-2 healthy"]]);
  });

  it("serves on while the cloud is away, and follows it when it is back, even from revision 0", async () => {
    cloud.publish({ instances: [world.instance(1)] }, 100);
    await start();
    await cloud.stop();
    await until(() => readFileSync(logFile(), "utf8").includes("state is not available"), "it has noticed");
    assert.equal((await get(world.ip(1), sitePort)).server, "i-1");
    cloud.publish({ instances: [world.instance(2)] }, 0);
    await cloud.start();
    await until(async () => !(await refuses(get(world.ip(2), sitePort))), "the new instance serves");
    assert.ok(await refuses(get(world.ip(1), sitePort)));
  });
}).timeout(20_000);
