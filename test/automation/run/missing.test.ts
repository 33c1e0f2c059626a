import assert from "node:assert/strict";
import { isThere, missingFrom, missingRule, urnsOf } from "../../../automation/run/missing.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const generation = (name: string, registered = true) => ({
  targetGroupArn: `tg-${name}`,
  port: 8080,
  weight: 50,
  registered,
  frontends: [1, 2].map((index) => ({
    name: `${name}-${index}`,
    instanceId: `i-${name}-${index}`,
    privateIp: "10.0.0.1",
  })),
});
const outputs: Pick<Outputs, "generations" | "addresses"> = {
  generations: {
    blue: { ...generation("blue"), array: { name: "array-1", intent: "active" } },
    green: generation("green"),
  },
  addresses: [{ publicIp: "203.0.113.1", allocationId: "eipalloc-1", instanceId: "i-blue-1" }],
};

/** AWS as the last update left it, but for what a test changes. */
function world(change: {
  states?: Record<string, string>;
  targets?: Record<string, string | undefined>;
  holder?: string;
  arrays?: readonly string[];
}) {
  const { states = {}, targets = {}, holder = "i-blue-1", arrays = ["array-1"] } = change;
  const servers = ["i-blue-1", "i-blue-2", "i-green-1", "i-green-2"];
  return {
    absentSeconds: 0,
    instanceStatuses: async () =>
      new Map(servers.map((id) => [id, { InstanceState: { Name: (states[id] ?? "running") as "running" } }])),
    targetHealth: async () =>
      new Map(
        servers.flatMap((id) => {
          const state = id in targets ? targets[id] : "healthy";
          return state === undefined ? [] : [[id, { TargetHealth: { State: state as "healthy" } }] as const];
        }),
      ),
    addressHolders: async () => new Map([["eipalloc-1", holder]]),
    arrays: { find: async (name: string) => (arrays.includes(name) ? ({} as never) : undefined) },
  };
}
const kinds = async (change: Parameters<typeof world>[0], of = outputs) =>
  (await missingFrom(world(change), of)).map(({ kind, name }) => `${kind} ${name}`);

describe("what AWS does not show as the last update left it", () => {
  it("is nothing where nobody changed anything, and where a server is only not healthy", async () => {
    assert.deepEqual(await kinds({ targets: { "i-blue-1": "unhealthy" } }), []);
  });

  it("is a server that is registered for one entry and not for the other", async () => {
    const entries = { admin: { targetGroupArn: "tg-blue-admin", port: 9000 } };
    const { blue, ...others } = outputs.generations;
    const two = { ...outputs, generations: { ...others, ...(blue && { blue: { ...blue, entries } }) } };
    const seen = async (group: string) => {
      const { targetHealth, ...rest } = world({});
      const all = await targetHealth();
      const without = new Map([...all].filter(([id]) => id !== "i-blue-1"));
      const missing = await missingFrom({ ...rest, targetHealth: async (arn) => (arn === group ? without : all) }, two);
      return missing.map(({ kind, name }) => `${kind} ${name}`);
    };
    assert.deepEqual(await seen("tg-blue"), ["deregistered blue-1"]);
    assert.deepEqual(await seen("tg-blue-admin"), ["deregistered blue-1"]);
    assert.deepEqual(await seen("another"), []);
  });

  it("is a server that starts, as one does that was stopped: nothing is moved to it yet", async () => {
    const change = { targets: { "i-blue-1": "initial" }, states: { "i-blue-2": "pending" } };
    assert.deepEqual(await kinds(change), ["starting blue-1", "starting blue-2"]);
    assert.ok((await missingFrom(world(change), outputs)).every(isThere));
  });

  it("is a server that ended or was stopped, once, although it is not registered either", async () => {
    const states = { "i-blue-1": "terminated", "i-blue-2": "shutting-down", "i-green-1": "stopping" };
    const targets = { "i-blue-1": undefined, "i-green-1": undefined };
    assert.deepEqual(await kinds({ states, targets }), ["ended blue-1", "ended blue-2", "stopped green-1"]);
  });

  it("is a server that was deregistered, unless the run itself has done so", async () => {
    const targets = { "i-blue-1": undefined, "i-blue-2": "draining" };
    assert.deepEqual(await kinds({ targets }), ["deregistered blue-1", "deregistered blue-2"]);
    const drained = { ...outputs, generations: { blue: generation("blue", false) } };
    assert.deepEqual(await kinds({ targets }, drained), []);
  });

  it("is an address on another server, or on none, and an array that is gone", async () => {
    assert.deepEqual(await kinds({ holder: "i-green-1", arrays: [] }), ["no-array array-1", "moved 203.0.113.1"]);
    const [missing] = await missingFrom(world({ holder: "" }), outputs);
    assert.equal(missing?.says, "203.0.113.1 is on no server, not on i-blue-1");
  });

  it("is the test host name's rule, by its type: the outputs have no id of it", async () => {
    const site = {
      ...outputs,
      loadBalancer: { arn: "lb", dnsName: "", port: 80, protocol: "http" as const },
      testHostname: "test",
    };
    const of = (...looks: boolean[]) =>
      missingRule({ absentSeconds: 0.1, hasTestRule: async () => looks.shift() ?? false }, site);
    assert.deepEqual(await of(true), []);
    // What was just created may not be shown yet: a second rule of its priority would be refused.
    assert.deepEqual(await of(false, true), []);
    const rule = { urn: "rule", type: "aws:lb/listenerRule:ListenerRule", id: "arn:rule" };
    assert.deepEqual(urnsOf({ resources: [rule, { ...rule, urn: "listener", type: "t" }] }, await of(false)), ["rule"]);
  });

  it("is nothing that AWS showed so at its first look only: what was just changed may look as before", async () => {
    const stale = world({
      states: { "i-blue-1": "stopped" },
      targets: { "i-blue-2": undefined },
      holder: "",
      arrays: [],
    });
    const looks = [stale, world({})];
    const aws = {
      absentSeconds: 0.1,
      instanceStatuses: () => looks[0]?.instanceStatuses() ?? world({}).instanceStatuses(),
      targetHealth: () => looks[0]?.targetHealth() ?? world({}).targetHealth(),
      addressHolders: () => looks[0]?.addressHolders() ?? world({}).addressHolders(),
      arrays: { find: async (name: string) => looks.shift()?.arrays.find(name) ?? world({}).arrays.find(name) },
    };
    assert.deepEqual(await missingFrom(aws, outputs), []);
    const kept = { ...stale, absentSeconds: 0.1 };
    assert.equal((await missingFrom(kept, outputs)).length, 4);
  });

  it("is read again with whatever names it, and with nothing else: not the address, which is where it was", async () => {
    const resource = (urn: string, id: string, inputs = {}) => ({ urn, type: "t", id, inputs });
    const resources = [
      resource("blue-1", "i-blue-1"),
      resource("attachment-1", "tg,i-blue-1", { targetId: "i-blue-1" }),
      resource("blue-2", "i-blue-2"),
      resource("eip", "eipalloc-1"),
      resource("association", "eipassoc-1", { allocationId: "eipalloc-1", instanceId: "i-blue-2" }),
      resource("array", "array-1"),
      resource("policy", "blue.requests", { autoscalingGroupName: "array-1" }),
    ];
    const ended = await missingFrom(world({ states: { "i-blue-1": "terminated" } }), outputs);
    assert.deepEqual(urnsOf({ resources }, ended), ["blue-1", "attachment-1"]);
    const others = await missingFrom(world({ holder: "", arrays: [] }), outputs);
    assert.deepEqual(urnsOf({ resources }, others), ["association", "array", "policy"]);
  });
});
