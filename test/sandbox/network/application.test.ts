import assert from "node:assert/strict";
import { parseSimulation } from "../../../sandbox/network/simulation.ts";
import { get, refuses, sitePort, until, userData, World } from "./world.ts";

describe("an instance's server", () => {
  let world: World;

  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(() => world.stop());

  const boot = (inputs: Record<string, string> = {}) => world.apply({ instances: [world.instance(1, inputs)] });
  const ask = (path: string) => get(world.ip(1), sitePort, path);

  it("answers with its generation, its id and its revision", async () => {
    await boot({ GENERATION: "blue", APP_REVISION: "41" });
    const { status, body, generation, server } = await ask("/");
    assert.deepEqual(
      { status, body, generation, server },
      { status: 200, body: "blue 41 i-1\n", generation: "blue", server: "i-1" },
    );
    assert.equal((await ask("/health")).status, 200);
    assert.equal((await ask("/health/db")).status, 200);
    assert.equal((await ask("/nothing")).status, 404);
    assert.equal((await ask("/nothing")).generation, "blue");
    for (const odd of ["//", "/%", "/?sleep=x", "/?sleep=-1"]) assert.equal((await ask(odd)).generation, "blue");
  });

  it("reports its status in Apache's fields, and counts the request that asks as busy", async () => {
    await boot();
    const held = ask("/?sleep=60000").catch(() => {});
    await until(async () => /^BusyWorkers: 2$/m.test((await ask("/server-status?auto")).body), "two are busy");
    const { body } = await ask("/server-status?auto");
    assert.match(body, /^Total Accesses: \d+$/m);
    assert.match(body, /^IdleWorkers: 254$/m);
    assert.match(body, /^Scoreboard: WW_{254}$/m);
    await world.apply({});
    await held;
  });

  it("serves only while the instance runs, and its connections go with it", async () => {
    await world.apply({ instances: [world.instance(1, {}, "pending")] });
    assert.ok(await refuses(ask("/")));
    await boot();
    const held = ask("/?sleep=60000");
    await until(async () => /^BusyWorkers: 2$/m.test((await ask("/server-status?auto")).body), "two are busy");
    const cut = assert.rejects(held, /hang up|ECONNRESET/);
    await world.apply({ instances: [world.instance(1, {}, "shutting-down")] });
    await cut;
    assert.ok(await refuses(ask("/")));
  });

  it("boots with default inputs when the user data is missing or broken", async () => {
    const logged: string[] = [];
    world.stop();
    world = await World.start({ log: (message) => logged.push(message) });
    const broken = `#cloud-config-archive\n- {`;
    await world.apply({
      instances: [
        { ...world.instance(1), userData: "" },
        { ...world.instance(2), userData: broken },
        { ...world.instance(3), userData: userData({ PORT: "http", GENERATION: "green" }) },
      ],
    });
    assert.equal((await get(world.ip(1), 8080)).generation, undefined);
    assert.equal((await get(world.ip(2), 8080)).generation, undefined);
    assert.equal((await get(world.ip(3), 8080)).generation, "green");
    assert.match(logged.join("\n"), /i-1: boots with default inputs/);
    assert.match(logged.join("\n"), /i-2: boots with default inputs/);
    assert.match(logged.join("\n"), /i-3: PORT is "http", which is no port; using 8080/);
  });

  it("says why when its database does not answer", async () => {
    world.stop();
    world = await World.start({ database: { ask: () => Promise.reject(new Error("too many connections")) } });
    await boot();
    const { status, body } = await ask("/health/db");
    assert.deepEqual([status, body], [503, "database down: too many connections\n"]);
    assert.equal((await ask("/health")).status, 200);
  });

  describe("simulates", () => {
    it("unhealthy: only /health answers 500", async () => {
      await boot({ SIMULATE: "unhealthy" });
      assert.equal((await ask("/health")).status, 500);
      assert.equal((await ask("/health/db")).status, 200);
      assert.equal((await ask("/")).status, 200);
    });

    it("db-down: it asks where no database listens, and only /health/db answers 503", async () => {
      await boot({ SIMULATE: "db-down" });
      const { status, body } = await ask("/health/db");
      assert.equal(status, 503);
      assert.match(body, /ECONNREFUSED/);
      assert.equal((await ask("/health")).status, 200);
    });

    for (const [name, wrong] of [
      ["errors", 500],
      ["missing", 404],
    ] as const)
      it(`${name}: that share of answers is a ${wrong}, and health is not affected`, async () => {
        await boot({ SIMULATE: `${name}=0.3` });
        const statuses = await Promise.all(Array.from({ length: 200 }, async () => (await ask("/")).status));
        const count = statuses.filter((status) => status === wrong).length;
        assert.ok(count > 40 && count < 80, `${count} of 200`);
        for (let turn = 0; turn < 10; turn++) assert.equal((await ask("/health")).status, 200);
      });

    it("slow: answers take that long", async () => {
      await boot({ SIMULATE: "slow=60" });
      const before = performance.now();
      await ask("/health");
      assert.ok(performance.now() - before >= 59);
    });

    it("crash-after: the server dies and stays dead", async () => {
      await boot({ SIMULATE: "crash-after=0.02" });
      await until(() => refuses(ask("/")), "the server is dead");
      await boot({ SIMULATE: "crash-after=0.02" });
      assert.ok(await refuses(ask("/")));
    });

    it("boot-fail: it never listens", async () => {
      await boot({ SIMULATE: "boot-fail" });
      assert.ok(await refuses(ask("/")));
    });

    it("several at once, and says what it does not know", () => {
      const { unhealthy, slowMilliseconds, unknown } = parseSimulation("unhealthy, slow=800,errors=many,fire");
      assert.deepEqual(
        { unhealthy, slowMilliseconds, unknown },
        { unhealthy: true, slowMilliseconds: 800, unknown: ["errors=many", "fire"] },
      );
    });
  });
}).timeout(20_000);
