import assert from "node:assert/strict";
import { ask } from "../../../automation/http.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-gates";

/** Checks of every kind, no addresses to move, and three more generations: two that must not get traffic, and a good one. */
function configure(config: Parameters<Parameters<Site["edit"]>[0]>[0]): void {
  config["handover:site"].elasticIps = 0;
  const smoke = [
    ...config["handover:upgrade"].smoke,
    { path: "/", expectBody: "^\\w+ 4\\d ", passes: 2 },
    { command: ["sh", "-c", 'test -n "$HANDOVER_GENERATION" && test -n "$HANDOVER_SERVER_URLS"'] },
    { ssm: { parameters: { commands: ['echo "I am $GENERATION"', 'test -n "$GENERATION"'] } } },
  ];
  const sessions = { path: "/server-status?auto", field: "BusyWorkers", atMost: 2, quietSeconds: 1, limitSeconds: 4 };
  const comparison = { enabled: false };
  Object.assign(config["handover:upgrade"], {
    stableSeconds: 5,
    bakeSeconds: 0,
    gateSeconds: 10,
    smoke,
    sessions,
    comparison,
  });
  Object.assign(config["handover:generations"], {
    "db-down": { extends: "green", inputs: { SIMULATE: "db-down" } },
    crash: { extends: "green", inputs: { SIMULATE: "crash-after=5" } },
    next: { extends: "green", inputs: { APP_REVISION: "43" } },
  });
}

describe("gates", function () {
  this.timeout(300_000);
  let site: Site;

  before(async () => {
    site = await Site.up(name, configure);
  });
  after(() => site?.down());

  const upgrade = (generation: string) => {
    site.setGoal(generation);
    return drive(["upgrade", "--stack", name]);
  };
  const serversOf = async (generation: string) => (await site.status()).generations[generation]?.frontends ?? [];

  /** Keeps sessions open on a server that do not end by themselves. @returns how they end */
  function openSessions({ privateIp }: { readonly privateIp: string }): Promise<readonly string[]> {
    const question = { protocol: "http", address: privateIp, port: 8080, host: "www.example.com" } as const;
    const asked = Array.from({ length: 3 }, () =>
      ask({ ...question, path: "/?sleep=600000", timeoutSeconds: 900 }, new AbortController().signal),
    );
    return Promise.allSettled(asked).then((all) => all.map(({ status }) => status));
  }

  for (const [generation, where] of [
    ["db-down", /^launch-first: .*smoke on each server: (fail|inconclusive).*\/health\/db/s],
    ["crash", /^launch-(first|rest): /],
  ] as const) {
    it(`refuses ${generation} before it has traffic, goes back, and no user notices`, async () => {
      const users = await site.traffic();
      const { exitCode, last, stderr } = await upgrade(generation);
      const { failed, byGeneration } = await users.stop();
      assert.equal(exitCode, 2, stderr + JSON.stringify(last));
      assert.match(String(last.message), where);
      assert.deepEqual(Object.keys((await site.status()).generations), ["blue"]);
      assert.deepEqual([failed, Object.keys(byGeneration)], [0, ["blue"]]);
    });
  }

  it("lets a server with open sessions stay, and only that one, and goes on when a person approves", async () => {
    const [first] = await serversOf("blue");
    const sessions = openSessions(first ?? assert.fail());
    const { exitCode, last, stderr } = await upgrade("green");
    assert.equal(exitCode, 3, stderr + JSON.stringify(last));
    assert.match(String(last.message), /sessions have not ended on blue-1\..*handover approve .*handover resume/);
    assert.deepEqual(
      (await serversOf("blue")).map((server) => server.name),
      ["blue-1"],
    );
    const approved = await handover("approve", "--stack", name, "--digest", String(last.digest));
    assert.equal(approved.exitCode, 0, approved.stderr);
    assert.equal((await drive(["resume", "--stack", name])).exitCode, 0);
    assert.deepEqual(await serversOf("blue"), []);
    assert.deepEqual(await sessions, ["rejected", "rejected", "rejected"]);
  });

  it("ends a server with its sessions at the limit where the configuration says so", async () => {
    const [first] = await serversOf("green");
    const sessions = openSessions(first ?? assert.fail());
    site.edit((config) => {
      config["handover:upgrade"].sessions.onLimit = "terminate";
    });
    const { exitCode, events, stderr } = await upgrade("next");
    assert.equal(exitCode, 0, stderr);
    const gate = events.find((event) => event.type === "gate" && event.gate === "sessions ended: green-1");
    assert.match(JSON.stringify(gate), /"limitPassed":true/);
    assert.deepEqual(await sessions, ["rejected", "rejected", "rejected"]);
  });
});
