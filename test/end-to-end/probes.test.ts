import assert from "node:assert/strict";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import { startTraffic, type Traffic } from "../../sandbox/traffic/traffic.ts";
import { drive, handover } from "./command-line.ts";
import { Site } from "./site.ts";

const name = "sandbox-probes";

/** Users whom no load balancer counts. */
async function trafficOnAddresses(site: Site): Promise<Traffic> {
  const { addresses } = await site.status();
  const [first = assert.fail()] = addresses;
  const port = 8080;
  return startTraffic({
    loadBalancer: { host: first.publicIp, port, hostHeader: "www.staging.example.com" },
    addresses: addresses.map(({ publicIp }) => ({ publicIp, port })),
    networkUrl: slot(get(site.name).slot).network.url,
    requestsPerSecond: 50,
  });
}

describe("a site whose users come by its Elastic IPs", () => {
  let site: Site;
  let users: Traffic | undefined;

  before(async () => {
    site = await Site.up(name, (config) => {
      delete config["handover:site"].database;
      delete config["handover:upgrade"].migrate;
    });
    site.edit((config) => {
      config["handover:upgrade"].probe = { perSecond: 20 };
      config["handover:live"] = "green";
    });
  });
  after(async () => {
    await users?.stop();
    await site?.down();
  });

  for (const [simulate, what] of [
    ["errors=0.5", "answers with errors"],
    ["slow=1200", "is slow"],
  ] as const) {
    it(`keeps its old servers when the new generation ${what}, though the load balancer has counted nothing`, async () => {
      site.edit((config) => {
        config["handover:generations"].green.inputs.SIMULATE = simulate;
      });
      users = await trafficOnAddresses(site);
      const { exitCode, events, stdout, stderr } = await drive(["upgrade", "--stack", name]);
      const { failed, byGeneration } = await users.stop();
      users = undefined;
      assert.equal(exitCode, 2, stdout + stderr);
      const refused = events.flatMap((event) => (event.type === "gate" && event.verdict === "fail" ? [event] : []));
      assert.deepEqual(
        refused.map(({ phase, gate }) => `${phase}: ${gate}`),
        ["connect: probes no worse than of blue: green"],
      );
      assert.equal(failed, 0);
      assert.deepEqual(Object.keys(byGeneration), ["blue"]);
    });
  }

  it("is told by the plan and by the run what nothing judges where the driver may not ask", async () => {
    site.edit((config) => {
      delete config["handover:generations"].green.inputs.SIMULATE;
      Object.assign(config["handover:upgrade"], { comparison: {}, probe: { enabled: false } });
    });
    const plan = await handover("plan", "--stack", name, "--json");
    assert.match(plan.stdout, /Elastic IPs.*handover:upgrade\.probe/);
  });
});
