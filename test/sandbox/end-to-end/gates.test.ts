import assert from "node:assert/strict";
import { drive } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-gates";

/** Checks of every kind, no addresses to move, and three more generations: two that must not get traffic, and a good one. */
function configure(config: Parameters<Parameters<Site["edit"]>[0]>[0]): void {
  config["handover:site"].elasticIps = 0;
  const smoke = [
    ...config["handover:upgrade"].smoke,
    { path: "/", expectBody: "^\\w+ 4\\d ", passes: 2 },
    { command: ["sh", "-c", 'test "$HANDOVER_GENERATION" != blue && test -n "$HANDOVER_SERVER_URLS"'] },
    { ssm: { parameters: { commands: ['echo "I am $GENERATION"', 'test "$GENERATION" != blue'] } } },
  ];
  const sessions = { path: "/server-status?auto", field: "BusyWorkers", atMost: 2, quietSeconds: 1, limitSeconds: 4 };
  const comparison = { enabled: false };
  Object.assign(config["handover:upgrade"], { bakeSeconds: 0, gateSeconds: 10, smoke, sessions, comparison });
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
});
