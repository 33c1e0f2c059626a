import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { forward, get, group, refuses, sitePort, until, World } from "./world.ts";

describe("an Elastic IP", () => {
  let world: World;

  afterEach(() => world.stop());

  async function hold(holder: string | null): Promise<void> {
    await world.apply({
      instances: [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })],
      addresses: [world.address(1, holder)],
    });
  }

  const ask = (path = "/") => get(world.publicIp(1), sitePort, path);

  async function established(): Promise<Socket> {
    const socket = connect(sitePort, world.publicIp(1));
    socket.write("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
    assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1.1 200/);
    return socket;
  }

  it("is answered by the instance that holds it", async () => {
    world = await World.start();
    await hold("i-1");
    assert.equal((await ask()).server, "i-1");
  });

  it("is still answered by the old holder while a move propagates", async () => {
    world = await World.start({ propagationMilliseconds: 60_000, random: () => 1 });
    await hold("i-1");
    const socket = await established();
    await hold("i-2");
    assert.equal((await ask()).server, "i-1");
    assert.equal(socket.destroyed, false);
    assert.deepEqual(world.network.moves, []);
    socket.destroy();
  });

  it("is answered by the new holder after a move, and resets what was established", async () => {
    world = await World.start({ propagationMilliseconds: 20, random: () => 1 });
    await hold("i-1");
    const idle = await established();
    const reset = once(idle, "error");
    const cut = ask("/?sleep=60000").then(
      () => assert.fail("the request survived the move"),
      (error: NodeJS.ErrnoException) => error.code,
    );
    await until(() => connections(world) === 2, "both connections are established");
    const before = Date.now();
    await hold("i-2");
    await until(() => world.network.moves.length > 0, "it has moved");
    assert.equal((await reset)[0].code, "ECONNRESET");
    assert.equal(await cut, "ECONNRESET");
    assert.equal((await ask()).server, "i-2");
    const [move, ...others] = world.network.moves;
    assert.deepEqual(others, []);
    const { at = 0, resets = [], ...which } = move ?? {};
    assert.deepEqual(which, { publicIp: world.publicIp(1), from: "i-1", to: "i-2" });
    assert.deepEqual([at >= before, resets.length], [true, 2]);
    assert.ok(resets.every((instant) => instant >= at && instant <= Date.now()));
  });

  it("is seen to move by each client at its own moment", async () => {
    const delays = [0, 0.999];
    world = await World.start({ propagationMilliseconds: 2_000, random: () => delays.shift() ?? 0.5 });
    await hold("i-1");
    const [early, late] = [await established(), await established()];
    const reset = once(early, "error");
    await hold("i-2");
    assert.equal((await reset)[0].code, "ECONNRESET");
    assert.equal(late.destroyed, false, "the other client has not seen it");
    delays.push(0, 0.999);
    assert.deepEqual([(await ask()).server, (await ask()).server], ["i-2", "i-1"]);
    assert.equal((await once(late, "error"))[0].code, "ECONNRESET");
    await until(() => world.network.moves.length > 0, "it has moved");
    delays.push(0.999);
    assert.equal((await ask()).server, "i-2");
  });

  it("ends with its last holder, also when it moves again before a move has propagated", async () => {
    world = await World.start({ propagationMilliseconds: 50 });
    await hold("i-1");
    (await established()).on("error", () => {});
    await hold("i-2");
    await hold("i-1");
    await hold("i-2");
    await until(() => world.network.moves.length === 3, "it has moved");
    assert.equal((await ask()).server, "i-2");
  });

  it("loses no new connection in a move between servers of one port", async () => {
    world = await World.start({ propagationMilliseconds: 50, random: () => 1 });
    await hold("i-1");
    await hold("i-2");
    const servers: (string | undefined)[] = [];
    while (servers.at(-1) !== "i-2") {
      servers.push(
        await ask().then(
          ({ server }) => server,
          (error: NodeJS.ErrnoException) => {
            assert.equal(error.code, "ECONNRESET", "only the reset of the move may cut a request");
            return undefined;
          },
        ),
      );
    }
    assert.ok(servers.filter((server) => server === undefined).length <= 1);
    assert.ok(servers.includes("i-1"));
  });

  describe("whose holder holds new connections back", () => {
    /** @param quiet the instances that do */
    async function holds(holder: string, ...quiet: string[]): Promise<void> {
      const instances = [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })];
      await world.apply({
        instances: instances.map((each) => ({ ...each, quietPorts: quiet.includes(each.id) ? [sitePort] : [] })),
        addresses: [world.address(1, holder)],
      });
    }

    it("gives a client to whoever has the address when it sends its SYN again, and refuses nobody", async () => {
      world = await World.start();
      await holds("i-1", "i-1");
      const [first, second] = [ask(), ask()];
      await until(() => waiting(world) === 2, "their SYNs are dropped");
      await holds("i-2", "i-1");
      assert.deepEqual([(await first).server, (await second).server], ["i-2", "i-2"]);
    });

    it("gives it to the same instance once that lets new connections in again", async () => {
      world = await World.start();
      await holds("i-1", "i-1");
      const first = ask();
      await until(() => waiting(world) === 1, "its SYN is dropped");
      await holds("i-1");
      assert.equal((await first).server, "i-1");
      assert.equal((await ask()).server, "i-1");
    });

    it("drops the SYN again while the client has not seen the move", async () => {
      const delays = [0.999, 0];
      world = await World.start({ propagationMilliseconds: 2_000, random: () => delays.shift() ?? 0 });
      await holds("i-1", "i-1");
      const late = ask();
      await until(() => waiting(world) === 1, "its SYN is dropped");
      const early = ask();
      await until(() => waiting(world) === 2, "both SYNs are dropped");
      await holds("i-2", "i-1");
      const answered: string[] = [];
      await Promise.all([late.then(() => answered.push("late")), early.then(() => answered.push("early"))]);
      assert.deepEqual(answered, ["early", "late"]);
      assert.equal((await late).server, "i-2");
    });

    it("goes on with what is established, and knows what of it has no answer yet", async () => {
      world = await World.start();
      await holds("i-1");
      const idle = await established();
      const busy = ask("/?sleep=300");
      await until(() => connections(world) === 2, "both connections are established");
      assert.deepEqual(world.network.quietConnections(), []);
      await holds("i-1", "i-1");
      await until(() => world.network.quietConnections()[0]?.busy.length === 1, "one is seen to be busy");
      assert.equal(world.network.quietConnections()[0]?.established, 2);
      assert.equal((await busy).server, "i-1");
      await until(() => world.network.quietConnections()[0]?.busy.length === 0, "it has been answered");
      idle.write("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
      assert.match(String((await once(idle, "data"))[0]), /^HTTP\/1.1 200/);
      idle.destroy();
    });

    it("tells one request of a connection from the next", async () => {
      world = await World.start();
      await holds("i-1");
      const kept = await established();
      await holds("i-1", "i-1");
      const busy = () => world.network.quietConnections()[0]?.busy ?? [];
      const seen = new Set<string>();
      for (const _ of [1, 2]) {
        kept.write("GET /?sleep=100 HTTP/1.1\r\nHost: www.example.com\r\n\r\n");
        await until(() => busy().length === 1, "it is busy");
        for (const each of busy()) seen.add(each);
        await once(kept, "data");
      }
      assert.equal(seen.size, 2);
      kept.destroy();
    });

    it("does not hold back what a node of the load balancer asks", async () => {
      world = await World.start();
      const instances = [{ ...world.instance(1), quietPorts: [sitePort] }];
      await world.apply({
        instances,
        targetGroups: [group("a", ["i-1"])],
        loadBalancers: [world.balancer(forward({ a: 1 }))],
      });
      await world.healthOf("i-1", "healthy");
      assert.equal((await world.get()).server, "i-1");
    });
  });

  it("refuses connections while nobody holds it", async () => {
    world = await World.start();
    await hold(null);
    assert.ok(await refuses(ask()));
    await hold("i-1");
    await until(() => world.network.moves.length === 1, "it is associated");
    assert.equal((await ask()).server, "i-1");
    await hold(null);
    await until(() => world.network.moves.length === 2, "it is disassociated");
    assert.ok(await refuses(ask()));
  });

  it("refuses connections when its holder's server has died or gone, and listens when there is one", async () => {
    world = await World.start();
    await world.apply({
      instances: [world.instance(1, { SIMULATE: "crash-after=0" }), world.instance(2, {}, "pending")],
      addresses: [world.address(1, "i-1"), world.address(2, "i-2")],
    });
    await until(() => refuses(ask()), "the address refuses connections");
    assert.ok(await refuses(get(world.publicIp(2), sitePort)));
    await world.apply({ instances: [world.instance(2)], addresses: [world.address(2, "i-2")] });
    assert.equal((await get(world.publicIp(2), sitePort)).server, "i-2");
    assert.ok(await refuses(ask()));
  });

  it("listens on the port of its new holder", async () => {
    world = await World.start();
    const instances = [world.instance(1), world.instance(2, { PORT: "9090" })];
    await world.apply({ instances, addresses: [world.address(1, "i-1")] });
    await world.apply({ instances, addresses: [world.address(1, "i-2")] });
    await until(() => world.network.moves.length === 1, "it has moved");
    await until(() => refuses(ask()), "the old port refuses");
    await until(async () => !(await refuses(get(world.publicIp(1), 9090))), "the new port answers");
  });
}).timeout(20_000);

function waiting(world: World): number {
  const status = world.network.status() as { addresses: { waiting: number }[] };
  return status.addresses.reduce((sum, address) => sum + address.waiting, 0);
}

function connections(world: World): number {
  const status = world.network.status() as { addresses: { connections: number }[] };
  return status.addresses.reduce((sum, address) => sum + address.connections, 0);
}
