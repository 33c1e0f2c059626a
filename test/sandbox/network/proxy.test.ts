import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import {
  balancerPort,
  close,
  draining,
  forward,
  get,
  group,
  healthCheck,
  inFlight,
  listen,
  sitePort,
  until,
  World,
} from "./world.ts";

describe("the load balancer as a proxy", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start({ idleMilliseconds: 2_000 });
  });
  afterEach(() => world.stop());

  async function serve(...servers: number[]): Promise<void> {
    await world.apply({
      instances: servers.map((number) => world.instance(number)),
      targetGroups: [
        group(
          "blue",
          servers.map((number) => `i-${number}`),
        ),
      ],
      loadBalancers: [world.balancer(forward({ blue: 1 }))],
    });
    for (const number of servers) await world.healthOf(`i-${number}`, "healthy");
  }

  describe("in the target's place", () => {
    it("answers 503 when all weights are 0, or no target is registered, or all are draining or new", async () => {
      const instances = [world.instance(1)];
      const apply = (blue: ReturnType<typeof group>, weight = 1) =>
        world.apply({ instances, targetGroups: [blue], loadBalancers: [world.balancer(forward({ blue: weight }))] });
      await apply(group("blue", ["i-1"]));
      await world.healthOf("i-1", "healthy");
      await apply(group("blue", ["i-1"]), 0);
      assert.equal((await world.get()).status, 503);
      await apply(draining(group("blue", ["i-1"]), "i-1"));
      assert.equal((await world.get()).status, 503);
      await apply(group("blue", []));
      assert.equal((await world.get()).status, 503);
      await apply(
        group("blue", ["i-1"], { healthCheck: healthCheck({ path: "/health?", matcher: "299", intervalSeconds: 60 }) }),
      );
      assert.equal((await world.get()).status, 503);
    });

    it("answers 502 when the target refuses the connection, and 502 when it closes it without an answer", async () => {
      await serve(1);
      await world.apply({
        targetGroups: [group("blue", ["i-1"], { healthCheck: healthCheck({ intervalSeconds: 60 }) })],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      const refused = await world.get();
      assert.deepEqual([refused.status, refused.headers.server], [502, "awselb/2.0"]);
      const closing = createTcpServer((socket) => socket.once("data", () => socket.destroy()));
      await listen(closing, world.ip(1), sitePort);
      assert.equal((await world.get()).status, 502);
      await close(closing);
    });

    it("answers 502 when the target resets a reused connection, and sends the request only once", async () => {
      const seen = new Set<unknown>();
      let asked = 0;
      const resetting = createServer((request, response) => {
        asked++;
        if (seen.has(request.socket)) request.socket.resetAndDestroy();
        seen.add(request.socket);
        response.end();
      });
      await listen(resetting, world.ip(1), sitePort);
      await world.apply({
        instances: [world.instance(1, {}, "stopped")],
        targetGroups: [group("blue", ["i-1"], { healthCheck: healthCheck({ enabled: false }) })],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      assert.deepEqual([(await world.get()).status, (await world.get()).status, asked], [200, 502, 2]);
      await close(resetting);
    });

    it("answers 502 to a body that a dead target did not take, and keeps the client's connection", async () => {
      await serve(1);
      await world.apply({
        targetGroups: [group("blue", ["i-1"], { healthCheck: healthCheck({ intervalSeconds: 60 }) })],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      const attempt = request({ host: world.balancerHost, port: balancerPort, method: "POST", agent: false });
      attempt.end(Buffer.alloc(1_000_000));
      const [response] = await once(attempt, "response");
      assert.equal(response.statusCode, 502);
      response.resume();
      await once(response, "end");
    });

    it("answers 502 to what is not HTTP, and 504 to silence", async () => {
      const impolite = createTcpServer((socket) => socket.once("data", () => socket.end("what?\r\n\r\n")));
      await listen(impolite, world.ip(5), sitePort);
      const silent = createTcpServer((socket) => socket.on("error", () => {}));
      await listen(silent, world.ip(6), sitePort);
      world.stop();
      world = await World.start({ idleMilliseconds: 300 });
      const unchecked = healthCheck({ enabled: false });
      await world.apply({
        instances: [world.instance(5, {}, "stopped"), world.instance(6, {}, "stopped")],
        targetGroups: [
          group("bad", ["i-5"], { healthCheck: unchecked }),
          group("silent", ["i-6"], { healthCheck: unchecked }),
        ],
        loadBalancers: [world.balancer(forward({ silent: 1 }, { hosts: ["silent.test"] }), forward({ bad: 1 }))],
      });
      assert.equal((await world.get()).status, 502);
      assert.equal((await world.get("/", { Host: "silent.test" })).status, 504);
      await close(impolite);
      silent.close();
    });

    it("fails open: when every target is unhealthy, all get requests", async () => {
      await world.apply({
        instances: [world.instance(1, { SIMULATE: "unhealthy" }), world.instance(2, { SIMULATE: "unhealthy" })],
        targetGroups: [group("blue", ["i-1", "i-2"])],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      await world.healthOf("i-1", "unhealthy");
      await world.healthOf("i-2", "unhealthy");
      const answers = [await world.get(), await world.get()];
      assert.deepEqual(answers.map(({ status, server }) => `${status} ${server}`).sort(), ["200 i-1", "200 i-2"]);
    });
  });

  describe("draining", () => {
    it("finishes what is in flight, and sends nothing new", async () => {
      await serve(1, 2);
      const held = [world.get("/?sleep=300"), world.get("/?sleep=300")];
      await until(() => inFlight(world) === 2, "both are in flight");
      const blue = draining(group("blue", ["i-1", "i-2"]), "i-1");
      const state = {
        instances: [world.instance(1), world.instance(2)],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      };
      await world.apply({ ...state, targetGroups: [blue] });
      for (let turn = 0; turn < 4; turn++) assert.equal((await world.get()).server, "i-2");
      const answers = await Promise.all(held);
      assert.deepEqual(answers.map(({ status, server }) => `${status} ${server}`).sort(), ["200 i-1", "200 i-2"]);
      assert.equal(inFlight(world), 0);
    });

    it("cuts what is still in flight when the delay is over, with 502", async () => {
      await serve(1);
      const held = world.get("/?sleep=60000");
      await until(() => inFlight(world) === 1, "it is in flight");
      await world.apply({
        instances: [world.instance(1)],
        targetGroups: [group("blue", [])],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      assert.equal((await held).status, 502);
    });
  });

  it("takes a request along when its client goes", async () => {
    await serve(1);
    const attempt = request({ host: world.balancerHost, port: balancerPort, path: "/?sleep=60000", agent: false });
    attempt.on("error", () => {});
    attempt.end();
    await until(() => inFlight(world) === 1, "it is in flight");
    attempt.destroy();
    await until(() => inFlight(world) === 0, "nothing is in flight");
    await until(async () => (await busyWorkers(world)) === 1, "the server is idle again");
  });

  it("streams bodies both ways, chunk by chunk", async () => {
    const echo = createServer((request, response) => request.pipe(response));
    await listen(echo, world.ip(1), 9090);
    await world.apply({
      instances: [world.instance(1)],
      targetGroups: [group("echo", [], { targets: [{ instanceId: "i-1", port: 9090, draining: false }] })],
      loadBalancers: [world.balancer(forward({ echo: 1 }))],
    });
    await world.healthOf("i-1", "healthy");
    const attempt = request({ host: world.balancerHost, port: balancerPort, method: "POST", agent: false });
    attempt.write("first");
    const [response] = await once(attempt, "response");
    assert.equal(String((await once(response, "data"))[0]), "first");
    attempt.end(Buffer.alloc(5_000_000, "x"));
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(response, "end");
    assert.equal(bytes, 5_000_000);
    await close(echo);
  });

  it("passes a WebSocket upgrade through", async () => {
    const upgrading = createServer();
    upgrading.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    });
    await listen(upgrading, world.ip(1), 9090);
    await world.apply({
      instances: [world.instance(1)],
      targetGroups: [
        group("socket", [], {
          targets: [{ instanceId: "i-1", port: 9090, draining: false }],
          healthCheck: healthCheck({ port: String(sitePort) }),
        }),
      ],
      loadBalancers: [world.balancer(forward({ socket: 1 }))],
    });
    await world.healthOf("i-1", "healthy");
    const headers = { Connection: "Upgrade", Upgrade: "websocket" };
    const attempt = request({ host: world.balancerHost, port: balancerPort, headers, agent: false });
    attempt.end();
    const [answer, socket] = (await once(attempt, "upgrade")) as [{ statusCode: number }, Socket];
    assert.equal(answer.statusCode, 101);
    socket.write("ping");
    assert.equal(String((await once(socket, "data"))[0]), "ping");
    socket.destroy();
    upgrading.close();
  });
}).timeout(20_000);

async function busyWorkers(world: World): Promise<number> {
  const { body } = await get(world.ip(1), sitePort, "/server-status?auto");
  return Number(/^BusyWorkers: (\d+)$/m.exec(body)?.[1]);
}
