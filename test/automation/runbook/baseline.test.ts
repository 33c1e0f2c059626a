import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { GateContext } from "../../../automation/gates/context.ts";
import { hold } from "../../../automation/gates/gate.ts";
import type { Baseline, Finding } from "../../../automation/ledger/events.ts";
import { lookBefore } from "../../../automation/runbook/baseline.ts";
import { gatesOf } from "../../../automation/runbook/gates.ts";
import { checkId, usualPage } from "../../../automation/runbook/questions.ts";
import type { Row } from "../../../automation/runbook/rows.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const { signal } = new AbortController();

/** What a site answers, and what AWS says of it. All is well until a test says otherwise. */
class World {
  statusOf: (request: IncomingMessage) => number = () => 200;
  /** Who says that he has answered. */
  generation: string | undefined;
  health: Record<string, string> = { "i-blue-1": "healthy", "i-blue-2": "healthy" };
  state: Record<string, string> = {};
  alarms: [string, string][] = [["www-5xx", "OK"]];
  metric = 0;
  logEvents = 0;
  #onStatuses = () => {};
  absentSeconds = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<World> {
    const server = createServer((request, response) => world.#answer(request, response));
    const world = new World(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return world;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const headers = this.generation === undefined ? {} : { "x-generation": this.generation };
    response.writeHead(this.statusOf(request), headers).end();
  }

  context(baseline?: Baseline): GateContext {
    const { port } = this.#server.address() as AddressInfo;
    const generation = (name: string) => ({
      targetGroupArn: name,
      port,
      weight: 50,
      registered: true,
      frontends: [1, 2].map((n) => ({
        name: `${name}-${n}`,
        instanceId: `i-${name}-${n}`,
        privateIp: "127.0.0.1",
      })),
    });
    const after = {
      live: "blue",
      hostname: "www.example.com",
      testHostname: "test.example.com",
      loadBalancer: { arn: "arn:lb", dnsName: "127.0.0.1", port, protocol: "http" },
      addresses: [1, 2].map((n) => ({
        publicIp: "127.0.0.1",
        allocationId: `eipalloc-${n}`,
        instanceId: `i-blue-${n}`,
      })),
      generations: { blue: generation("blue"), green: { ...generation("green"), registered: false } },
    } as unknown as Outputs;
    const upgrade = {
      smoke: [{ path: "/health" }, { path: "/new", headers: { authorization: "s3cret" } }],
      comparison: { enabled: false },
      alarms: ["www-5xx"],
      metrics: [
        {
          name: "errors",
          cloudWatch: {
            metrics: { errors: { namespace: "Shop", metricName: "Errors", dimensions: { Group: "$generation" } } },
          },
          atMost: 1,
        },
      ],
      logs: [{ group: "/www", pattern: "ERROR", atMost: 1 }],
    };
    const aws = {
      absentSeconds: this.absentSeconds,
      targetHealth: async () =>
        new Map(Object.entries(this.health).map(([id, State]) => [id, { TargetHealth: { State } }])),
      instanceStatuses: async (ids: readonly string[]) => {
        setImmediate(this.#onStatuses);
        return new Map(
          ids.map((id) => [
            id,
            {
              InstanceState: { Name: this.state[id] ?? "running" },
              InstanceStatus: { Status: "ok" },
              SystemStatus: { Status: "ok" },
            },
          ]),
        );
      },
      addressHolders: async () => new Map([1, 2].map((n) => [`eipalloc-${n}`, `i-blue-${n}`])),
      cloudWatch: {
        alarmStates: async () => new Map(this.alarms),
        metricData: async (queries: { MetricStat?: { Metric?: { Dimensions?: { Value?: string }[] } } }[]) => {
          assert.equal(queries[0]?.MetricStat?.Metric?.Dimensions?.[0]?.Value, "blue");
          return new Map([["errors", new Map([[Date.now() - 120_000, this.metric]])]]);
        },
        logEvents: async () => ({
          events: Array(this.logEvents).fill({ stream: "www", message: "ERROR" }),
          more: false,
        }),
      },
    };
    const { config } = configOf({ upgrade });
    const context = { config, id: "r1", stack: "www", from: "blue", to: "green", before: after, after, aws, baseline };
    return {
      ...context,
      manager: {},
      redact: (text: string) => text.replaceAll("s3cret", "[secret]"),
    } as unknown as GateContext;
  }

  /** Resolves when somebody has asked for the servers' state. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#onStatuses = resolve;
    });
  }

  async look(): Promise<Baseline> {
    return lookBefore(this.context(), signal);
  }
}

const brief = ({ bad }: Baseline) => bad.map(({ kind, name, seen }) => `${kind} ${name}: ${seen}`).sort();

describe("the site before a run", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it("has nothing to tell while everything is in order", async () => {
    assert.deepEqual(await world.look(), { down: false, bad: [], unseen: [] });
  });

  const wrong: readonly [string, (world: World) => void, readonly RegExp[]][] = [
    [
      "an old server that is not healthy",
      (w) => {
        w.health["i-blue-2"] = "unhealthy";
      },
      [/^server blue-2: unhealthy$/],
    ],
    [
      "an old server that is not there",
      (w) => {
        w.state["i-blue-1"] = "terminated";
      },
      [/^server blue-1: terminated$/],
    ],
    [
      "an old server that is out of the pool",
      (w) => {
        delete w.health["i-blue-1"];
      },
      [/^server blue-1: not registered$/],
    ],
    [
      "an alarm that rings",
      (w) => {
        w.alarms = [["www-5xx", "ALARM"]];
      },
      [/^alarm www-5xx: in ALARM$/],
    ],
    [
      "a metric beyond its limit",
      (w) => {
        w.metric = 3;
      },
      [/^metric errors: .*"beyond":\[3\]/],
    ],
    [
      "errors in a log",
      (w) => {
        w.logEvents = 45;
      },
      [/^log \/www: ERROR: 3 a minute$/],
    ],
    [
      "a check that the old generation has never passed",
      (w) => {
        w.statusOf = ({ url }) => (url === "/new" ? 404 : 200);
      },
      [/^check GET \/new of blue: 404 instead of 200$/],
    ],
  ];
  for (const [what, happen, expected] of wrong) {
    it(`tells ${what}, and that something still answers`, async () => {
      happen(world);
      const seen = await world.look();
      assert.equal(brief(seen).length, expected.length, brief(seen).join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(brief(seen)[index] ?? "", pattern);
      assert.equal(seen.down, false);
    });
  }

  it("does not tell of a server that AWS only did not show, or showed as it was, at its first look", async () => {
    world.absentSeconds = 0.1;
    for (const stale of [
      { health: {}, state: {} },
      { health: { ...world.health }, state: { "i-blue-2": "stopped" } },
    ]) {
      const now = { health: world.health, state: world.state };
      Object.assign(world, stale);
      const asked = world.asked();
      const looked = world.look();
      await asked;
      Object.assign(world, now);
      assert.deepEqual((await looked).bad, []);
    }
  });

  it("is down when no server is healthy and neither the load balancer nor an address gives an answer", async () => {
    world.statusOf = () => 502;
    world.health = { "i-blue-1": "unhealthy", "i-blue-2": "unhealthy" };
    assert.equal((await world.look()).down, true);
  });

  it("is not down while users get pages, whatever the checks say", async () => {
    world.health = { "i-blue-1": "unhealthy", "i-blue-2": "unhealthy" };
    world.statusOf = ({ url }) => (url === "/" ? 200 : 500);
    assert.equal((await world.look()).down, false);
  });

  it("is not down when its servers' health is not known", async () => {
    world.statusOf = () => 502;
    const context = world.context();
    const targetHealth = () => Promise.reject(new Error("throttled"));
    const { down, unseen } = await lookBefore({ ...context, aws: { ...context.aws, targetHealth } as never }, signal);
    assert.equal(down, false);
    assert.deepEqual(unseen, ["servers: throttled"]);
  });

  it("holds no secret", async () => {
    world.statusOf = () => 401;
    assert.doesNotMatch(JSON.stringify(await world.look()), /s3cret/);
  });
});

describe("what was bad before a run", () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  const finding = (kind: Finding["kind"], id: string): Finding => ({ kind, id, name: id, seen: "bad" });
  const knowing = (...bad: Finding[]): Baseline => ({ down: false, bad, unseen: [] });
  const health = finding("check", checkId(usualPage(configOf(), undefined)));
  /** How the gates of a row end, by name, when nobody has patience. */
  async function judged(row: Row, baseline?: Baseline): Promise<Record<string, string>> {
    const { hold: held, watch } = gatesOf(row, world.context(baseline));
    const all = [...held, ...(watch?.gates ?? [])].filter(({ name }) => !name.startsWith("draining"));
    const one = all.map(
      async (gate) =>
        (await hold([{ ...gate, patienceSeconds: 0, observe: gate.observe.bind(gate) }], { seconds: 0, signal }))[0],
    );
    return Object.fromEntries((await Promise.all(one)).map((result) => [result?.gate, result?.verdict]));
  }

  it("is no alarm against the new generation; any other is", async () => {
    world.alarms = [["www-5xx", "ALARM"]];
    assert.equal((await judged("connect"))["no alarm"], "fail");
    assert.equal((await judged("connect", knowing(finding("alarm", "www-5xx"))))["no alarm"], undefined);
    assert.equal((await judged("connect", knowing(finding("alarm", "other"))))["no alarm"], "fail");
  });

  it("is no metric against the new generation", async () => {
    const names = Object.keys(await judged("observe", knowing(finding("metric", "errors"))));
    assert.ok(!names.includes("metric errors"), names.join());
  });

  it("does not keep a way back from ending: a server that was dead", async () => {
    world.health["i-blue-2"] = "unhealthy";
    assert.equal((await judged("readmit"))["targets healthy: blue"], "fail");
    assert.equal((await judged("readmit", knowing(finding("server", "i-blue-2"))))["targets healthy: blue"], "pass");
    world.health["i-blue-1"] = "unhealthy";
    assert.equal((await judged("readmit", knowing(finding("server", "i-blue-2"))))["targets healthy: blue"], "fail");
  });

  it("does not keep a way back from ending: a site that was down", async () => {
    world.statusOf = () => 502;
    const failed = async (row: Row, baseline?: Baseline) =>
      Object.entries(await judged(row, baseline)).flatMap(([name, verdict]) => (verdict === "pass" ? [] : [name]));
    assert.deepEqual(await failed("withdraw"), ["smoke through the load balancer", "smoke through the addresses"]);
    const addresses = ["eipalloc-1", "eipalloc-2"].map((id) => finding("address", id));
    assert.deepEqual(await failed("withdraw", knowing(health, ...addresses)), []);
    const [dead] = addresses;
    assert.deepEqual(await failed("withdraw", knowing(health, dead ?? assert.fail())), ["smoke through the addresses"]);
  });

  it("does not excuse the new generation, of which the same is asked", async () => {
    world.statusOf = () => 502;
    const all = await judged("observe", knowing(health, finding("server", "i-green-1")));
    assert.equal(all["smoke through the load balancer"], "fail");
    assert.equal(all["targets healthy: green"], "fail");
  });

  const through = "smoke through the load balancer";
  const isNew = (status: number, generation?: string) => {
    world.statusOf = ({ url }) => (url === "/new" ? status : 200);
    world.generation = generation;
  };

  it("is not asked of old servers: while traffic is shared the new generation is judged by its own answers", async () => {
    isNew(404, "blue");
    assert.equal((await judged("connect", knowing()))[through], "pass");
    isNew(404, "green");
    assert.equal((await judged("connect", knowing()))[through], "fail");
  });

  it("is not asked where answers do not say who gave them, while checks are that both generations pass", async () => {
    isNew(404);
    const { bad } = await world.look();
    assert.equal((await judged("connect", knowing(...bad)))[through], "pass");
    assert.equal((await judged("connect", knowing()))[through], "fail");
    world.statusOf = () => 404;
    assert.equal((await judged("connect", knowing(...bad)))[through], "fail");
  });
});
