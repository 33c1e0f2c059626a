import assert from "node:assert/strict";
import { generationLines, generationStatus } from "../../../automation/cli/generation-status.ts";
import type { ArrayNow } from "../../../automation/cloud/arrays.ts";

const outputs = {
  targetGroupArn: "blue",
  port: 8080,
  weight: 100,
  registered: true,
  frontends: [{ name: "blue-1", instanceId: "i-1", privateIp: "10.0.0.1" }],
  array: { name: "blue-abc", intent: "suspended" as const },
};

const array: ArrayNow = {
  minSize: 2,
  maxSize: 6,
  desiredCapacity: 3,
  suspensions: {},
  suspendedProcesses: ["Terminate", "Launch"],
  servers: [
    { instanceId: "i-2", lifecycleState: "InService", healthy: true },
    { instanceId: "i-3", lifecycleState: "Pending", healthy: true },
  ],
};

const aws = (now: ArrayNow | undefined, state: "running" | "stopped" = "running") => ({
  instanceStatuses: async () => new Map([["i-1", { InstanceState: { Name: state } }]]),
  targetHealth: async () => new Map(["i-1", "i-2"].map((id) => [id, { TargetHealth: { State: "healthy" as const } }])),
  arrays: { find: async () => now },
});

describe("the status of a generation", () => {
  it("shows each server's health for every entry", async () => {
    const { array: _, ...plain } = outputs;
    const entries = { admin: { targetGroupArn: "blue-admin", port: 9000 } };
    const { targetHealth, ...rest } = aws(undefined);
    const shown = { ...rest, targetHealth: async (arn: string) => (arn === "blue" ? targetHealth() : new Map()) };
    assert.deepEqual(generationLines("blue", await generationStatus(shown, { ...plain, entries })), [
      "blue: 100% of the traffic",
      "  blue-1  i-1  10.0.0.1  healthy, admin: not registered",
    ]);
  });

  it("shows its array: sizes, what is suspended, and each server with its health", async () => {
    assert.deepEqual(generationLines("blue", await generationStatus(aws(array), outputs)), [
      "blue: 100% of the traffic",
      "  blue-1  i-1  10.0.0.1  healthy",
      "  array blue-abc: 2 servers, wants 3 (2 to 6); suspended: Launch, Terminate",
      "    i-2  InService  healthy",
      "    i-3  Pending  not registered",
    ]);
  });

  it("says what a server does that does not run", async () => {
    const [, line] = generationLines("blue", await generationStatus(aws(array, "stopped"), outputs));
    assert.equal(line, "  blue-1  i-1  10.0.0.1  stopped  healthy");
  });

  it("says when AWS has the array no more, and nothing of one that was never declared", async () => {
    assert.equal((await generationStatus(aws(undefined), outputs)).array, null);
    const { array: _, ...without } = outputs;
    assert.ok(!("array" in (await generationStatus(aws(undefined), without))));
  });
});
