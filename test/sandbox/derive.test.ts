import assert from "node:assert/strict";
import { parse } from "yaml";
import { derive } from "../../sandbox/derive.ts";
import { slot } from "../../sandbox/slot.ts";
import { parseConfig } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { exampleValues } from "../stacks/shape.ts";

/** The sandbox's configuration for a stack's file, as the program would read it. */
function configOf(
  options: { frontends?: number; array?: number },
  change: (generations: never) => void = () => {},
  upgrade: object = {},
  site: object = {},
) {
  const values = exampleValues();
  Object.assign(values.site, site);
  values.site.adopted = "blue";
  change(values.generations as never);
  Object.assign(values.upgrade, upgrade);
  const like = { config: Object.fromEntries(Object.entries(values).map(([key, each]) => [`handover:${key}`, each])) };
  const { text } = derive({ like, likeName: "staging", slot: slot(0), database: undefined, ...options });
  const { config } = parse(text) as { config: Record<string, unknown> };
  const keys = Object.entries(config).filter(([key]) => key.startsWith("handover:"));
  return parseConfig(Object.fromEntries(keys.map(([key, each]) => [key.slice(9), each])), projectDirectory);
}

describe("a sandbox's file", () => {
  it("has the same arrays as the file that it follows, none if that has none", () => {
    assert.equal(configOf({}).generations.green?.array, undefined);
  });

  it("has an array of the size that was asked for in every generation, whatever the file says", () => {
    const { blue, green } = configOf({ array: 3 }, ({ green: own }: Record<string, { array?: object }>) => {
      if (own !== undefined) own.array = { minSize: 1, maxSize: 1 };
    }).generations;
    assert.deepEqual([blue?.array?.minSize, blue?.array?.maxSize], [3, 6]);
    assert.deepEqual(green?.array, blue?.array);
  });

  it("has no instance profile and no key pair, which a sandbox does not know, and is no site that was adopted", () => {
    const own = { iamInstanceProfile: "www", keyName: "ops" };
    const { site, generations } = configOf({}, ({ blue }: Record<string, object>) => Object.assign(blue ?? {}, own));
    assert.deepEqual([generations.blue?.iamInstanceProfile, generations.blue?.keyName], [undefined, undefined]);
    assert.equal(site.adopted, undefined);
  });

  it("keeps the policies of an array whose size was asked for", () => {
    const requests = { targetTracking: { predefinedMetricType: "ASGAverageCPUUtilization", targetValue: 60 } };
    const { green } = configOf({ array: 3 }, ({ blue }: Record<string, { array?: object }>) => {
      if (blue !== undefined) blue.array = { minSize: 1, maxSize: 1, policies: { requests } };
    }).generations;
    assert.deepEqual([green?.array?.maxSize, Object.keys(green?.array?.policies ?? {})], [6, ["requests"]]);
  });

  it("holds no more Elastic IPs than there are frontends", () => {
    const inOne = (elasticIps: unknown) => {
      return configOf({ frontends: 1 }, undefined, undefined, { elasticIps }).site.elasticIps;
    };
    assert.deepEqual(inOne(2), { count: 1 });
    assert.deepEqual(inOne(["eipalloc-1", "eipalloc-2"]), { count: 1, allocationIds: ["eipalloc-1"] });
    assert.deepEqual(inOne({ count: 2, ipamPoolId: "ipam-pool-0a1b" }), { count: 1, ipamPoolId: "ipam-pool-0a1b" });
  });

  it("watches nothing that only the real site's providers know", () => {
    const active = { namespace: "Shop", metricName: "Sessions", dimensions: { InstanceId: "$instanceId" } };
    const metrics = [{ name: "errors", cloudWatch: { metrics: { active } }, atMost: 1 }];
    const upgradeOf = (sessions: object) =>
      configOf({}, undefined, { metrics, alarms: ["www-5xx"], logs: [{ group: "/www", pattern: "ERROR" }], sessions })
        .upgrade;
    const { alarms, logs, ...byMetric } = upgradeOf({ cloudWatch: { metrics: { active } } });
    assert.deepEqual([byMetric.metrics, alarms, logs, byMetric.sessions], [[], [], [], undefined]);
    assert.equal(upgradeOf({ path: "/status", json: "active" }).sessions?.json, "active");
  });
});
