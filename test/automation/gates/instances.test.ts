import assert from "node:assert/strict";
import { Absence } from "../../../automation/cloud/absence.ts";
import type { Aws } from "../../../automation/cloud/aws.ts";
import { instancesGone } from "../../../automation/gates/instances.ts";

const { signal } = new AbortController();
const server = (instanceId: string) => ({ name: instanceId, instanceId, privateIp: "10.0.0.1" });

describe("servers are gone", () => {
  const verdict = async (states: Readonly<Record<string, string>>) => {
    const instanceStatuses = async () =>
      new Map(Object.entries(states).map(([id, Name]) => [id, { InstanceState: { Name } }]));
    return instancesGone({ instanceStatuses } as unknown as Aws, [server("i-1"), server("i-2")]).observe(signal);
  };

  it("when AWS says of each that it is terminated", async () => {
    assert.equal((await verdict({ "i-1": "terminated", "i-2": "terminated" })).verdict, "pass");
    assert.deepEqual(await verdict({ "i-1": "terminated", "i-2": "shutting-down" }), {
      verdict: "pending",
      evidence: { left: ["i-2"] },
    });
  });

  it("never because AWS does not find them at one look", async () => {
    assert.deepEqual(await verdict({}), { verdict: "pending", evidence: { left: ["i-1", "i-2"] } });
  });
});

describe("an absence", () => {
  it("is proven when it has lasted, and begins anew with each sight", () => {
    const absence = new Absence();
    assert.deepEqual([absence.isProven(true), absence.isProven(true, 0)], [false, true]);
    assert.equal(absence.isProven(false, 0), false);
    assert.equal(absence.isProven(true), false);
  });
});
