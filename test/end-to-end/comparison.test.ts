import assert from "node:assert/strict";
import type { Traffic } from "../../sandbox/traffic/traffic.ts";
import { drive } from "./command-line.ts";
import { Site } from "./site.ts";

describe("a new generation that is worse than the old one, though healthy", () => {
  let site: Site;
  let traffic: Traffic;
  before(async () => {
    site = await Site.up("sandbox-comparison");
    site.edit((config) => {
      config["handover:live"] = "green";
      config["handover:upgrade"].comparison = { periodSeconds: 1, patienceSeconds: 60 };
    });
    traffic = await site.traffic(200);
  });
  after(async () => {
    await traffic?.stop();
    await site.down();
  });

  for (const [simulate, worse] of [
    ["errors=0.05", "errors"],
    ["slow=800", "slow"],
  ] as const) {
    it(`is refused at the first traffic step and rolled back: ${simulate}`, async () => {
      site.edit((config) => {
        config["handover:generations"].green.inputs.SIMULATE = simulate;
      });
      const { exitCode, events, stdout, stderr } = await drive(["upgrade", "--stack", site.name]);
      assert.equal(exitCode, 2, stdout + stderr);
      const failed = events.flatMap((event) => (event.type === "gate" && event.verdict === "fail" ? [event] : []));
      assert.deepEqual(
        failed.map(({ phase, gate }) => `${phase}: ${gate}`),
        ["connect: no worse than blue: green"],
      );
      assert.equal((failed[0]?.evidence as Record<string, unknown>)[worse], "worse");
      const applied = events.flatMap((event) => (event.type === "applied" ? [event.phase] : []));
      assert.deepEqual(applied.slice(applied.indexOf("connect")), ["connect", "withdraw", "withdraw", "settle"]);
      const { live, generations, run } = await site.status();
      assert.deepEqual([live, Object.keys(generations), run], ["blue", ["blue"], null]);
    });
  }
});
