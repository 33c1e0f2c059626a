import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { devNull } from "node:os";
import { serveControl } from "../../../sandbox/network/control.ts";
import { Client } from "../../../sandbox/traffic/client.ts";
import { startTraffic, type Traffic, type TrafficOptions } from "../../../sandbox/traffic/traffic.ts";
import { balancerPort, forward, group, sitePort, until, World } from "../network/world.ts";

const host = "127.0.0.1";
const defaults = { addresses: [], networkUrl: "http://127.0.0.1:9", requestsPerSecond: 400, logFile: devNull };

describe("the load generator", () => {
  const servers: Server[] = [];
  let traffic: Traffic | undefined;

  afterEach(async () => {
    await traffic?.stop().catch(() => {});
    traffic = undefined;
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function serve(listener: RequestListener): Promise<number> {
    const server = createServer(listener);
    servers.push(server);
    server.listen(0, host);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  async function start(port: number, more: Partial<TrafficOptions> = {}): Promise<Traffic> {
    const loadBalancer = { host, port, hostHeader: "www.example.com" };
    traffic = await startTraffic({ ...defaults, loadBalancer, ...more });
    return traffic;
  }

  it("counts every request as the server does, with the share that fails", async () => {
    let answered = 0;
    let failed = 0;
    const hosts = new Set<string | undefined>();
    const sockets = new Set<Socket>();
    const port = await serve((request, response) => {
      hosts.add(request.headers.host);
      sockets.add(request.socket);
      answered++;
      if (answered % 10 === 0) failed++;
      response.writeHead(answered % 10 === 0 ? 500 : 200, { "x-generation": "blue", "x-server": "i-1" }).end("ok");
    });
    const running = await start(port);
    await until(() => answered >= 100, "100 requests have come");
    running.mark("connect");
    await until(() => answered >= 300, "300 requests have come");
    const report = await running.stop();
    assert.equal(report.requests, answered);
    assert.equal(report.failed, failed);
    assert.equal(report.cutByMove, 0);
    assert.deepEqual(report.byGeneration, { blue: answered });
    assert.deepEqual(report.byServer, { "i-1": answered });
    assert.deepEqual(Object.keys(report.byPhase), ["start", "connect"]);
    assert.equal(
      Object.values(report.byPhase).reduce((sum, { requests }) => sum + requests, 0),
      answered,
    );
    assert.deepEqual([...hosts], ["www.example.com"]);
    assert.ok(
      report.failures.every(
        ({ status, generation, server }) => status === 500 && generation === "blue" && server === "i-1",
      ),
    );
    assert.ok(report.latencyMilliseconds.p50 > 0 && report.latencyMilliseconds.max >= report.latencyMilliseconds.p99);
    const fresh = sockets.size / answered;
    assert.ok(fresh > 0.35 && fresh < 0.95, `${sockets.size} connections for ${answered} requests`);
  });

  it("does not wait for answers, and waits for those in flight when it stops", async () => {
    let asked = 0;
    const release: (() => void)[] = [];
    const port = await serve((_, response) => {
      asked++;
      release.push(() => response.end());
    });
    const running = await start(port);
    await until(() => asked >= 100, "100 requests are in flight");
    const report = running.stop();
    const interval = setInterval(() => {
      for (const answer of release.splice(0)) answer();
    }, 5);
    const { requests, failed } = await report;
    clearInterval(interval);
    assert.deepEqual({ requests, failed }, { requests: asked, failed: 0 });
  });

  it("counts a request as failed when it takes too long, or is refused", async () => {
    let asked = 0;
    const port = await serve(() => {
      asked++;
    });
    let running = await start(port, { timeoutSeconds: 0.05 });
    await until(() => asked >= 20, "20 requests have come");
    const slow = await running.stop();
    assert.equal(slow.failed, slow.requests);
    assert.ok(slow.failures.every(({ error }) => error === "timeout"));

    asked = 0;
    const answering = await serve((_, response) => {
      asked++;
      response.end();
    });
    running = await start(answering, { addresses: [{ publicIp: host, port: 9 }] });
    await until(() => asked >= 20, "20 requests have come");
    const { byTarget, failures } = await running.stop();
    const refused = byTarget[`${host}:9`];
    assert.ok(refused !== undefined && refused.requests > 0);
    assert.equal(refused.failed, refused.requests);
    assert.equal(byTarget[`${host}:${answering}`]?.failed, 0);
    assert.ok(failures.every(({ error }) => error === "ECONNREFUSED"));
  });

  it("rejects when its process has died, rather than report what it did not count", async () => {
    const running = await start(await serve((_, response) => void response.end()));
    assert.ok(running.pid !== undefined);
    process.kill(running.pid, "SIGKILL");
    await assert.rejects(running.stop(), /ended by SIGKILL before it reported/);
  });

  it("shares the load between the load balancer and the addresses, and tells apart what a move cut", async () => {
    const world = await World.start();
    const controlPort = 4568;
    const control = await serveControl(world.network, world.slot.network.host, controlPort);
    try {
      const instances = [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })];
      await world.apply({ instances, addresses: [world.address(1, "i-1"), world.address(2, "i-1")] });
      const address = (number: number) => ({ publicIp: world.publicIp(number), port: sitePort });
      let asked = 0;
      const port = await serve((_, response) => {
        asked++;
        response.setHeader("x-generation", "balanced").end();
      });
      const running = await start(port, {
        networkUrl: `http://${world.slot.network.host}:${controlPort}`,
        path: "/?sleep=100",
        addresses: [address(1), address(2)],
      });
      await until(() => asked >= 60, "load has run");
      running.mark("move-addresses");
      await world.apply({ instances, addresses: [world.address(1, "i-2"), world.address(2, "i-1")] });
      const moved = asked;
      await until(() => asked >= moved + 60, "load has run on");
      const report = await running.stop();
      assert.equal(report.failed, 0, JSON.stringify(report.failures));
      assert.ok(report.cutByMove > 0, "requests were in flight at the move");
      assert.ok(report.retried > 0, "requests on reused connections were sent again");
      const [first, second] = [address(1), address(2)].map(
        ({ publicIp }) => report.byTarget[`${publicIp}:${sitePort}`],
      );
      assert.equal(first?.cutByMove, report.cutByMove);
      assert.equal(second?.cutByMove, 0);
      const half = asked / report.requests;
      assert.ok(half > 0.35 && half < 0.65, `${asked} of ${report.requests} went to the load balancer`);
      assert.deepEqual(Object.keys(report.byGeneration).sort(), ["balanced", "blue", "green"]);
      const answered = Object.values(report.byGeneration).reduce((sum, count) => sum + count, 0);
      assert.equal(answered + report.cutByMove, report.requests);
    } finally {
      control.close();
      control.closeAllConnections();
      world.stop();
    }
  });

  it("tells of the site's users whom a server without a way out served while it ran, in which phases", async () => {
    const world = await World.start();
    const controlPort = 4568;
    const control = await serveControl(world.network, world.slot.network.host, controlPort);
    try {
      const instance = { ...world.instance(1, { GENERATION: "blue" }), subnetId: "public" };
      const site = {
        subnets: [{ id: "public", defaultRoute: { target: "igw-1", publicIp: null } }],
        targetGroups: [group("blue", ["i-1"])],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      };
      const apply = (publicIp: string | null) => world.apply({ ...site, instances: [{ ...instance, publicIp }] });
      await apply(null);
      await world.healthOf("i-1", "healthy");
      const served = () => world.network.withoutWayOut.list().reduce((sum, { requests }) => sum + requests, 0);
      await world.get("/", { host: "www.example.com" });
      await apply("198.18.0.1");
      const networkUrl = `http://${world.slot.network.host}:${controlPort}`;
      const loadBalancer = { host: world.balancerHost, port: balancerPort, hostHeader: "WWW.example.com" };
      const running = await startTraffic({ ...defaults, networkUrl, loadBalancer });
      traffic = running;
      running.mark("connect");
      const before = served();
      await apply(null);
      await world.get("/", { host: "test.example.com" });
      await until(() => served() > before + 20, "requests were served without a way out");
      await apply("198.18.0.1");
      const after = served();
      running.mark("drain");
      const report = await running.stop();
      assert.equal(report.failed, 0, JSON.stringify(report.failures));
      assert.ok(report.requests > report.withoutWayOut);
      assert.equal(
        report.withoutWayOut,
        after - before - 1,
        "neither what was before nor what was asked for elsewhere",
      );
      const [only, ...others] = report.servedWithoutWayOut;
      assert.deepEqual(others, []);
      assert.deepEqual([only?.server, only?.generation, only?.phases.at(-1)], ["i-1", "blue", "connect"]);
    } finally {
      control.close();
      control.closeAllConnections();
      world.stop();
    }
  });

  it("takes every request for one served without a way out when the network cannot tell", async () => {
    const running = await start(await serve((_, response) => void response.end()));
    const { requests, withoutWayOut } = await running.stop();
    assert.equal(withoutWayOut, requests);
  });

  it("counts as failed what is lost without a move", async () => {
    const world = await World.start();
    try {
      const instances = [world.instance(1)];
      await world.apply({ instances, addresses: [world.address(1, "i-1")] });
      const port = await serve((_, response) => void response.end());
      const running = await start(port, {
        path: "/?sleep=50",
        addresses: [{ publicIp: world.publicIp(1), port: sitePort }],
      });
      await until(() => busy(world) > 3, "requests are in flight through the address");
      await world.apply({ instances: [], addresses: [world.address(1, "i-1")] });
      running.setTargets({ loadBalancer: { host, port, hostHeader: "www.example.com" }, addresses: [] });
      const report = await running.stop();
      assert.ok(report.failed > 0);
      assert.equal(report.cutByMove, 0);
    } finally {
      world.stop();
    }
  });
}).timeout(20_000);

describe("the client", () => {
  it("sends a request again, once, when a reused connection was reset before any byte of its answer", async () => {
    const sockets = new Set<Socket>();
    let asked = 0;
    const server = createServer((request, response) => {
      asked++;
      const reused = sockets.has(request.socket);
      sockets.add(request.socket);
      if (reused || request.url === "/reset") request.socket.resetAndDestroy();
      else response.end("ok");
    });
    server.listen(0, host);
    await once(server, "listening");
    const destination = { host, port: (server.address() as AddressInfo).port };
    const client = new Client(1_000);
    const get = async (path: string) => {
      const { status, retried, error } = await client.get(destination, path, true);
      return [status ?? error?.code, retried];
    };
    assert.deepEqual(await get("/reset"), ["ECONNRESET", false], "a new connection is no excuse");
    assert.deepEqual(await get("/"), [200, false]);
    assert.deepEqual(await get("/"), [200, true]);
    assert.deepEqual(await get("/"), [200, false]);
    assert.deepEqual(await get("/reset"), ["ECONNRESET", true], "not more than once");
    assert.equal(asked, 7);
    client.close();
    server.close();
  });

  it("does not send a request again when a part of its answer came", async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked++;
      if (request.url !== "/part") return void response.end("ok");
      response.write("part");
      setImmediate(() => request.socket.resetAndDestroy());
    });
    server.listen(0, host);
    await once(server, "listening");
    const destination = { host, port: (server.address() as AddressInfo).port };
    const client = new Client(1_000);
    assert.equal((await client.get(destination, "/", true)).status, 200);
    const { error, retried } = await client.get(destination, "/part", true);
    assert.deepEqual([error?.code, retried, asked], ["ECONNRESET", false, 2]);
    client.close();
    server.close();
  });
});

function busy(world: World): number {
  const status = world.network.status() as { addresses: { connections: number }[] };
  return status.addresses.reduce((sum, { connections }) => sum + connections, 0);
}
