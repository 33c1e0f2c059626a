import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { connect } from "node:net";
import { balancerPort, close, forward, group, healthCheck, inFlight, listen, refuses, until, World } from "./world.ts";

describe("the load balancer", () => {
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

  it("takes turns among the healthy targets of a group", async () => {
    await serve(1, 2);
    const servers = [await world.get(), await world.get(), await world.get(), await world.get()].map(
      ({ server }) => server,
    );
    assert.deepEqual([...servers].sort(), ["i-1", "i-1", "i-2", "i-2"]);
    assert.notEqual(servers[0], servers[1]);
  });

  it("prefers the target with the fewest requests in flight, where the group says so", async () => {
    await world.apply({
      instances: [world.instance(1), world.instance(2)],
      targetGroups: [group("blue", ["i-1", "i-2"], { algorithm: "least_outstanding_requests" })],
      loadBalancers: [world.balancer(forward({ blue: 1 }))],
    });
    await world.healthOf("i-1", "healthy");
    await world.healthOf("i-2", "healthy");
    const held = world.get("/?sleep=200");
    await until(() => inFlight(world) === 1, "one is in flight");
    const others = [await world.get(), await world.get(), await world.get()].map(({ server }) => server);
    const { server } = await held;
    assert.ok(!others.includes(server), `${others} and ${server}`);
  });

  it("says where a request came from, and passes everything else on", async () => {
    const echo = createServer((request, response) => response.end(JSON.stringify([request.url, request.headers])));
    await listen(echo, world.ip(1), 9090);
    await world.apply({
      instances: [world.instance(1)],
      targetGroups: [group("echo", [], { targets: [{ instanceId: "i-1", port: 9090, draining: false }] })],
      loadBalancers: [world.balancer(forward({ echo: 1 }))],
    });
    await world.healthOf("i-1", "healthy");
    const { body } = await world.get("/a?b=c", {
      Host: "www.example.com",
      "X-Forwarded-For": "192.0.2.1",
      "X-Own": "yes",
    });
    const [url, headers] = JSON.parse(body) as [string, Record<string, string>];
    assert.equal(url, "/a?b=c");
    assert.equal(headers.host, "www.example.com");
    assert.equal(headers["x-own"], "yes");
    assert.equal(headers["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-port"], String(balancerPort));
    await close(echo);
  });

  it("follows host and path rules in order, and the default last", async () => {
    await world.apply({
      instances: [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })],
      targetGroups: [group("blue", ["i-1"]), group("green", ["i-2"])],
      loadBalancers: [
        world.balancer(
          forward({ green: 1 }, { hosts: ["test.example.com"] }),
          {
            arn: "maintenance",
            hosts: [],
            paths: ["/admin/*"],
            action: { type: "fixed-response", status: 403, contentType: "text/plain", body: "not here" },
          },
          {
            arn: "moved",
            hosts: ["old.example.com"],
            paths: [],
            action: {
              ...{ type: "redirect", status: 301, protocol: "HTTPS", port: "443" },
              ...{ host: "#{host}", path: "/#{path}", query: "#{query}" },
            },
          },
          forward({ blue: 1 }),
        ),
      ],
    });
    await world.healthOf("i-1", "healthy");
    await world.healthOf("i-2", "healthy");
    assert.equal((await world.get("/", { Host: "TEST.example.com:8000" })).generation, "green");
    assert.equal((await world.get("/", { Host: "www.example.com" })).generation, "blue");
    const fixed = await world.get("/admin/users");
    assert.deepEqual([fixed.status, fixed.body], [403, "not here"]);
    const moved = await world.get("/shop?size=2", { Host: "old.example.com:8000" });
    assert.deepEqual([moved.status, moved.headers.location], [301, "https://old.example.com/shop?size=2"]);
  });

  it("splits requests by weight, and sends none to a group of weight 0", async () => {
    const instances = [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })];
    const targetGroups = [group("blue", ["i-1"]), group("green", ["i-2"])];
    const weigh = (blue: number, green: number) =>
      world.apply({ instances, targetGroups, loadBalancers: [world.balancer(forward({ blue, green }))] });
    const count = async () => {
      const answers = await Promise.all(Array.from({ length: 100 }, () => world.get()));
      return answers.filter(({ generation }) => generation === "green").length;
    };
    await weigh(100, 0);
    await world.healthOf("i-1", "healthy");
    await world.healthOf("i-2", "healthy");
    assert.equal(await count(), 0);
    await weigh(50, 50);
    const half = await count();
    assert.ok(half > 20 && half < 80, `${half} of 100`);
    await weigh(0, 1);
    assert.equal(await count(), 100);
  });

  it("changes rules without touching a client's connection", async () => {
    await serve(1, 2);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const ask = async () => {
      const attempt = request({ host: world.balancerHost, port: balancerPort, agent });
      attempt.on("socket", (socket) => socket.once("connect", () => ports.add(socket.localPort)));
      attempt.end();
      const [response] = await once(attempt, "response");
      response.resume();
      await once(response, "end");
      return response.headers["x-server"];
    };
    await ask();
    await world.apply({
      instances: [world.instance(1), world.instance(2), world.instance(3)],
      targetGroups: [group("blue", ["i-1", "i-2"]), group("green", ["i-3"])],
      loadBalancers: [world.balancer(forward({ blue: 0, green: 1 }))],
    });
    await world.healthOf("i-3", "healthy");
    assert.equal(await ask(), "i-3");
    assert.equal(ports.size, 1);
    agent.destroy();
  });

  describe("stickiness", () => {
    it("keeps a client with its group, at weight 0 too, and gives it 503 when the group is empty", async () => {
      const instances = [world.instance(1, { GENERATION: "blue" }), world.instance(2, { GENERATION: "green" })];
      const state = (blue: string[], weights: Record<string, number>) => ({
        instances,
        targetGroups: [group("blue", blue), group("green", ["i-2"])],
        loadBalancers: [world.balancer(forward(weights, { stickinessSeconds: 60 }))],
      });
      await world.apply(state(["i-1"], { blue: 1, green: 0 }));
      await world.healthOf("i-1", "healthy");
      await world.healthOf("i-2", "healthy");
      const cookie = cookieOf(await world.get());
      assert.match(cookie, /^AWSALBTG=/);

      await world.apply(state(["i-1"], { blue: 0, green: 1 }));
      assert.equal((await world.get("/", { cookie })).generation, "blue");
      assert.equal((await world.get()).generation, "green");

      await world.apply(state([], { blue: 0, green: 1 }));
      assert.equal((await world.get("/", { cookie })).status, 503);
      assert.equal((await world.get()).generation, "green");
    });

    it("keeps a client with its target until that is unhealthy, then binds it to another", async () => {
      const stuck = group("blue", ["i-1", "i-2"], { stickinessSeconds: 60 });
      const instances = [world.instance(1), world.instance(2)];
      const loadBalancers = [world.balancer(forward({ blue: 1 }))];
      await world.apply({ instances, targetGroups: [stuck], loadBalancers });
      await world.healthOf("i-1", "healthy");
      await world.healthOf("i-2", "healthy");
      const first = await world.get();
      const cookie = cookieOf(first);
      assert.match(cookie, /^AWSALB=/);
      for (let turn = 0; turn < 4; turn++) assert.equal((await world.get("/", { cookie })).server, first.server);

      await world.apply({
        instances: instances.filter(({ id }) => id !== first.server),
        targetGroups: [stuck],
        loadBalancers,
      });
      await world.healthOf(first.server ?? "", "unhealthy");
      const second = await world.get("/", { cookie });
      assert.equal(second.status, 200);
      assert.notEqual(second.server, first.server);
      assert.notEqual(cookieOf(second), cookie);
    });
  });

  describe("health checks", () => {
    async function reason(settings: Parameters<typeof healthCheck>[0], inputs: Record<string, string> = {}) {
      await world.apply({
        instances: [world.instance(1, inputs)],
        targetGroups: [group("blue", ["i-1"], { healthCheck: healthCheck(settings) })],
        loadBalancers: [world.balancer(forward({ blue: 1 }))],
      });
      await world.healthOf("i-1", "unhealthy");
      return world.reports.at(-1)?.reason;
    }

    it("say that a target answered with another code", async () => {
      assert.equal(await reason({ path: "/nothing" }), "Target.ResponseCodeMismatch");
    });
    it("say that a target took too long", async () => {
      assert.equal(await reason({ timeoutSeconds: 0.02 }, { SIMULATE: "slow=60000" }), "Target.Timeout");
    });
    it("say that a target does not listen, on the port of the check", async () => {
      assert.equal(await reason({ port: "9999" }), "Target.FailedHealthChecks");
    });

    it("are for groups that a rule uses; one that comes back into use starts over", async () => {
      const state = { instances: [world.instance(1)], targetGroups: [group("blue", ["i-1"])] };
      const used = { ...state, loadBalancers: [world.balancer(forward({ blue: 0 }))] };
      await world.apply(used);
      await world.healthOf("i-1", "healthy");
      await world.apply({ ...state, loadBalancers: [world.balancer(forward({}))] });
      const { length } = world.reports;
      await world.apply(used);
      await until(() => world.reports.length === length + 2, "there are two more reports");
      assert.deepEqual(
        world.reports.slice(length).map(({ state }) => state),
        ["initial", "healthy"],
      );
    });
  });

  it("stops listening when it is gone", async () => {
    await serve(1);
    const idle = connect(balancerPort, world.balancerHost);
    await once(idle, "connect");
    const closed = once(idle, "close");
    await world.apply({ instances: [world.instance(1)], targetGroups: [group("blue", ["i-1"])] });
    await closed;
    assert.ok(await refuses(world.get()));
  });
}).timeout(20_000);

function cookieOf(answer: { headers: { "set-cookie"?: string[] } }): string {
  return answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
}
