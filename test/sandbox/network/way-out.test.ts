import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { serveOutside } from "../../../sandbox/network/outside.ts";
import type { CloudState, InstanceState, SubnetState } from "../../../sandbox/network/state.ts";
import { wayOut } from "../../../sandbox/network/way-out.ts";
import { close, forward, get, group, healthCheck, sitePort, until, World } from "./world.ts";

const subnet = (target: string, publicIp: string | null = null): SubnetState => ({
  id: "public",
  defaultRoute: { target, publicIp },
});
const closed: SubnetState = { id: "closed", defaultRoute: null };
const own = "198.18.0.7";

describe("a server's way out", () => {
  it("is its public address, where an internet gateway is the default route", () => {
    assert.deepEqual(wayOut({ publicIp: own }, subnet("igw-1")), { target: "igw-1", source: own });
    assert.equal(wayOut({ publicIp: null }, subnet("igw-1")), undefined);
  });

  it("is a NAT gateway and its address, whether the server has one or not", () => {
    for (const publicIp of [null, own])
      assert.deepEqual(wayOut({ publicIp }, subnet("nat-1", "127.128.0.9")), {
        target: "nat-1",
        source: "127.128.0.9",
      });
  });

  for (const target of ["tgw-1", "eni-1", "vgw-1", "vpce-1", "pcx-1", "eigw-1", "cagw-1", "i-1"])
    it(`is whatever else the default route names, such as ${target}, and needs no address of the server's`, () => {
      assert.deepEqual(wayOut({ publicIp: null }, subnet(target)), { target, source: null });
    });

  it("is none without a default route, public address or not", () => {
    assert.equal(wayOut({ publicIp: own }, closed), undefined);
    assert.equal(wayOut({ publicIp: own }, undefined), undefined);
  });
});

describe("the network and the outside", () => {
  let world: World;
  let outside: Server;

  beforeEach(async () => {
    world = await World.start();
    const { host, port } = world.slot.outside;
    outside = await serveOutside(host, port);
    world.restart({ outside: { host, port, connectMilliseconds: 10 } });
  });
  afterEach(async () => {
    await close(outside);
    world.stop();
  });

  const server = (number: number, publicIp: string | null, subnetId = "public"): InstanceState => ({
    ...world.instance(number, { GENERATION: "blue" }),
    publicIp,
    subnetId,
  });
  const site = (instances: readonly InstanceState[], more: Partial<CloudState> = {}) =>
    world.apply({
      instances,
      subnets: [subnet("igw-1"), closed],
      targetGroups: [
        group(
          "blue",
          instances.map(({ id }) => id),
          { healthCheck: healthCheck() },
        ),
      ],
      loadBalancers: [world.balancer(forward({ blue: 1 }))],
      ...more,
    });
  const ask = (number: number) => get(world.ip(number), sitePort, "/health/outside");
  const without = () => world.network.withoutWayOut.list();
  const counted = () => without().map(({ instanceId, host, requests }) => [instanceId, host, requests]);
  const www = { host: "www.example.com" };

  it("see a server's calls come from its own address, its Elastic IP or its NAT gateway", async () => {
    const elastic = world.publicIp(1);
    await site([server(1, own), server(2, elastic), server(3, null, "behind")], {
      subnets: [subnet("igw-1"), { ...subnet("nat-1", "127.128.0.9"), id: "behind" }],
      addresses: [world.address(1, "i-2")],
    });
    const answers = await Promise.all([1, 2, 3].map(ask));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      [own, elastic, "127.128.0.9"].map((source) => [200, `${source}\n`]),
    );
  });

  it("are apart for a server without a way out, whose other answers are as always, until it has one", async () => {
    await site([server(1, null), server(2, own, "closed")]);
    for (const number of [1, 2]) {
      const { status, body } = await ask(number);
      assert.equal(status, 504);
      assert.match(body, /^no way out: connect ETIMEDOUT/);
      assert.equal((await get(world.ip(number), sitePort)).status, 200);
    }
    await site([server(1, own)]);
    assert.deepEqual([(await ask(1)).status, (await ask(1)).body], [200, `${own}\n`]);
    const status = world.network.status() as { instances: { id: string; wayOut: unknown }[] };
    assert.deepEqual(
      status.instances.map(({ id, wayOut }) => [id, wayOut]),
      [["i-1", { target: "igw-1", source: own }]],
    );
  });

  it("are apart at once when an address moves on, however late its clients see it", async () => {
    world.restart({
      propagationMilliseconds: 60_000,
      random: () => 0.999,
      outside: { ...world.slot.outside, connectMilliseconds: 10 },
    });
    const elastic = world.publicIp(1);
    await site([server(1, elastic), server(2, null)], { addresses: [world.address(1, "i-1")] });
    await site([server(1, null), server(2, elastic)], { addresses: [world.address(1, "i-2")] });
    assert.deepEqual([(await ask(1)).status, (await ask(2)).body], [504, `${elastic}\n`]);
  });

  it("count each request of a host that a server without a way out begins to serve, and when", async () => {
    await site([server(1, null)]);
    await world.healthOf("i-1", "healthy");
    const before = Date.now();
    assert.deepEqual(without(), []);
    await world.get("/", www);
    await world.get("/", { host: "WWW.example.com:8000" });
    await world.get("/nothing", { host: "test.example.com" });
    const after = Date.now();
    assert.deepEqual(counted(), [
      ["i-1", "www.example.com", 2],
      ["i-1", "test.example.com", 1],
    ]);
    const [{ first, last, generation } = assert.fail()] = without();
    assert.equal(generation, "blue");
    assert.ok(before <= first && first <= last && last <= after);
    assert.deepEqual(world.network.withoutWayOut.list(after + 1), [], "since then there was none");
  });

  it("count no health check, no question to a server itself, and nothing of a server with a way out", async () => {
    await site([server(1, null), server(2, own)]);
    await world.healthOf("i-1", "healthy");
    await world.healthOf("i-2", "healthy");
    await get(world.ip(1), sitePort, "/", www);
    await site([server(2, own)]);
    await world.get("/", www);
    assert.deepEqual(counted(), []);
  });

  it("count what a server begins to serve, not what it has begun", async () => {
    await site([server(1, own)]);
    await world.healthOf("i-1", "healthy");
    const held = world.get("/?sleep=300", www);
    await until(
      async () => /^BusyWorkers: 2$/m.test((await get(world.ip(1), sitePort, "/server-status?auto")).body),
      "it is busy",
    );
    await site([server(1, null)]);
    assert.equal((await held).status, 200);
    assert.deepEqual(counted(), []);
  });

  it("count a WebSocket's request", async () => {
    await site([server(1, null)]);
    await world.healthOf("i-1", "healthy");
    await world.get("/", { ...www, connection: "Upgrade", upgrade: "websocket" });
    assert.deepEqual(counted(), [["i-1", "www.example.com", 1]]);
  });

  it("count no request through an Elastic IP, which is a way out for its clients as long as they see it there", async () => {
    world.restart({ propagationMilliseconds: 60_000, random: () => 0.999 });
    const elastic = world.publicIp(1);
    await site([server(1, elastic), server(2, null)], { addresses: [world.address(1, "i-1")] });
    await world.healthOf("i-1", "healthy");
    const kept = connect(sitePort, elastic);
    const request = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    kept.write(request);
    await once(kept, "data");
    await site([server(1, null), server(2, elastic)], { addresses: [world.address(1, "i-2")] });
    assert.equal((await get(elastic, sitePort, "/", www)).server, "i-1");
    kept.write(request);
    await once(kept, "data");
    kept.destroy();
    assert.deepEqual(counted(), []);
    await world.healthOf("i-2", "healthy");
    for (const _ of [1, 2]) await world.get("/", www);
    assert.deepEqual(counted(), [["i-1", "www.example.com", 1]], "the load balancer's clients do not see it there");
  });

  it("count requests through an Elastic IP where no route leads out of the subnet", async () => {
    const elastic = world.publicIp(1);
    await site([server(1, elastic, "closed")], { addresses: [world.address(1, "i-1")] });
    await get(elastic, sitePort, "/", www);
    assert.deepEqual(counted(), [["i-1", "www.example.com", 1]]);
  });
}).timeout(20_000);
