import assert from "node:assert/strict";
import type { ServerWayOut } from "../../../automation/cloud/ways-out.ts";
import { waysOut } from "../../../automation/gates/ways-out.ts";

const servers = ["green-1", "green-2"].map((name) => ({ name, instanceId: `i-${name}`, privateIp: "10.0.0.1" }));
const way = (byRoutes: ServerWayOut["byRoutes"], publicIp?: string): ServerWayOut => ({
  subnetId: "subnet-1",
  byRoutes,
  publicIp,
  isOpen: byRoutes === "no address" || (byRoutes === "public address" && publicIp !== undefined),
});
const look = (ways: readonly ServerWayOut[], options?: { isolated: boolean }) => {
  const found = new Map(ways.map((each, index) => [servers[index]?.instanceId ?? "", each]));
  const aws = { waysOut: { ofServers: async () => found } } as never;
  return waysOut(aws, servers, options).observe(new AbortController().signal);
};

describe("the gate over ways out", () => {
  it("passes where each server has its address, or needs none, and says from where it calls", async () => {
    const seen = await look([way("public address", "198.51.100.7"), way("no address")]);
    assert.deepEqual(seen, {
      verdict: "pass",
      evidence: { callsComeFrom: { "green-1": "198.51.100.7", "green-2": "where its subnet's route leads" } },
    });
  });

  it("waits for a server that has no address yet, that leads nowhere, or that AWS does not show", async () => {
    for (const [second, why] of [
      [way("public address"), /no public address, and subnet-1 leads .* internet gateway/],
      [way("none", "198.51.100.8"), /subnet-1 has no route to the Internet/],
      [undefined, /AWS does not show it/],
    ] as const) {
      const { verdict, evidence } = await look([way("no address"), ...(second === undefined ? [] : [second])]);
      assert.equal(verdict, "pending");
      assert.match(JSON.stringify(evidence), why);
      assert.match(JSON.stringify(evidence), /green-2/);
    }
  });

  it("passes servers that lead nowhere, only where that is known to be as before", async () => {
    const shut = [way("none"), way("none")];
    assert.equal((await look(shut, { isolated: true })).verdict, "pass");
    assert.equal((await look([way("none"), way("public address")], { isolated: true })).verdict, "pending");
  });
});
