import assert from "node:assert/strict";
import { effectsOf } from "../../../automation/plan/effects.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

/** A site with an address on a server of this generation, and these weights. */
function stage(holder: string, weights: Readonly<Record<string, number>>): Outputs {
  const generations = Object.entries(weights).map(([name, weight]) => [
    name,
    { weight, frontends: [{ name: `${name}-1`, instanceId: `i-${name}`, privateIp: "10.0.0.1" }] },
  ]);
  return {
    generations: Object.fromEntries(generations),
    addresses: [{ publicIp: "198.51.100.7", allocationId: "eipalloc-1", instanceId: `i-${holder}` }],
  } as unknown as Outputs;
}

describe("what users would notice of a phase", () => {
  it("is each generation's share of the traffic, step by step", () => {
    const stages = [
      { blue: 100, green: 0 },
      { blue: 90, green: 10 },
      { blue: 50, green: 50 },
      { blue: 50, green: 50 },
    ];
    assert.deepEqual(effectsOf(stages.map((weights) => stage("blue", weights))), [
      "traffic: blue 100 -> blue 90, green 10 -> blue 50, green 50",
    ]);
  });

  it("is each Elastic IP that changes hands, by its servers' names", () => {
    const stages = [stage("blue", { blue: 50, green: 50 }), stage("green", { blue: 50, green: 50 })];
    assert.deepEqual(effectsOf(stages), ["198.51.100.7: blue-1 -> green-1"]);
  });

  it("is from where a generation's servers call others, where their addresses change it", () => {
    const stages = [stage("blue", { blue: 0, green: 100 }), stage("green", { blue: 0, green: 100 })];
    const calls = (ways: Parameters<typeof effectsOf>[1]) => effectsOf(stages, ways).slice(1);
    assert.deepEqual(calls(["public address"]), [
      "calls of blue come from addresses that AWS assigns, not 198.51.100.7",
      "calls of green come from 198.51.100.7, not addresses that AWS assigns",
    ]);
    assert.deepEqual(calls(["no address"]), []);
    const launched = [stage("blue", { blue: 100 }), stage("blue", { blue: 100, green: 0 })];
    assert.deepEqual(effectsOf(launched, ["public address"]), ["calls of green come from addresses that AWS assigns"]);
  });

  it("is nothing where neither changes, and where nothing was there before", () => {
    assert.deepEqual(effectsOf([stage("blue", { blue: 100 }), stage("blue", { blue: 100, green: 0 })]), []);
    assert.deepEqual(effectsOf([stage("blue", { blue: 100 })]), []);
    assert.deepEqual(effectsOf([]), []);
  });
});
