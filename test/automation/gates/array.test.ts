import assert from "node:assert/strict";
import type { ArrayNow } from "../../../automation/cloud/arrays.ts";
import type { Aws } from "../../../automation/cloud/aws.ts";
import {
  allServers,
  arrayInService,
  arrayServersGone,
  arrayServes,
  overArray,
  processesSuspended,
  serversInService,
} from "../../../automation/gates/array.ts";
import type { Gate } from "../../../automation/gates/gate.ts";

const outputs = { name: "green-1a2b3c", intent: "filling" } as const;
const { signal } = new AbortController();

interface World {
  readonly array?: Partial<ArrayNow>;
  /** State of each server's target. */
  readonly targets?: Readonly<Record<string, string>>;
  readonly left?: readonly string[];
  /** A server that AWS does not show. */
  readonly hidden?: string;
}

const frontend = (id: string) => ({ name: id, instanceId: id, privateIp: "10.0.0.1" });

function awsOf({ array, targets = {}, left = [], hidden }: World): Aws {
  const now = { minSize: 0, maxSize: 4, desiredCapacity: 0, suspendedProcesses: [], servers: [], ...array };
  const health = new Map(Object.entries(targets).map(([id, State]) => [id, { TargetHealth: { State } }]));
  return {
    arrays: {
      find: async () => (array === undefined ? undefined : now),
      servers: async () => left.map(frontend),
      byId: async (own: readonly { instanceId: string }[]) =>
        own.filter(({ instanceId }) => instanceId !== hidden).map(({ instanceId }) => frontend(instanceId)),
    },
    targetHealth: async () => health,
  } as unknown as Aws;
}

const server = (instanceId: string, lifecycleState = "InService", healthy = true) => {
  return { instanceId, lifecycleState, healthy };
};

const groups = [{ entry: undefined, targetGroupArn: "arn" }];

describe("an array's gates", () => {
  const inService = (world: World) => arrayInService(awsOf(world), "green", outputs, groups).observe(signal);
  const serves = (world: World) => arrayServes(awsOf(world), "green", outputs, groups).observe(signal);

  it("wait until as many servers are in service and healthy as autoscaling wants", async () => {
    const targets = { a: "healthy", b: "healthy" };
    const verdict = async (array: Partial<ArrayNow>, states = targets) => {
      return (await inService({ array, targets: states })).verdict;
    };
    assert.equal(await verdict({ desiredCapacity: 2, servers: [server("a"), server("b")] }), "pass");
    assert.equal(await verdict({ desiredCapacity: 3, servers: [server("a"), server("b")] }), "pending");
    assert.equal(await verdict({ desiredCapacity: 2, servers: [server("a"), server("b", "Pending")] }), "pending");
    const initial = { ...targets, b: "initial" };
    assert.equal(await verdict({ desiredCapacity: 2, servers: [server("a"), server("b")] }, initial), "pending");
    assert.equal(await verdict({ desiredCapacity: 0 }), "pass");
  });

  it("bear with servers on their way while an array works, and not with one that fails", async () => {
    const verdict = async (servers: ArrayNow["servers"], targets: Record<string, string>) => {
      return (await serves({ array: { desiredCapacity: 3, servers }, targets })).verdict;
    };
    const onTheirWay = [server("a"), server("b"), server("c", "Pending"), server("d", "Terminating")];
    assert.equal(await verdict(onTheirWay, { a: "healthy", b: "initial", d: "draining" }), "pass");
    assert.equal(await verdict([server("a"), server("b")], { a: "healthy", b: "unhealthy" }), "pending");
    assert.equal(await verdict([server("a", "InService", false)], { a: "healthy" }), "pending");
    assert.equal(await verdict([], {}), "pending");
  });

  it("never take an array that is not found for one that is gone, nor for one that has no suspended processes", async () => {
    const processes = processesSuspended(awsOf({}), "green", outputs, { none: ["Launch"] });
    for (const { verdict, evidence } of [await inService({}), await serves({}), await processes.observe(signal)])
      assert.deepEqual([verdict, evidence], ["pending", { array: "missing", name: outputs.name }]);
  });

  it("tell which processes should be suspended and are not, and the other way round", async () => {
    const aws = awsOf({ array: { suspendedProcesses: ["Launch", "AZRebalance"] } });
    const observe = (all: string[], none: string[] = []) =>
      processesSuspended(aws, "blue", outputs, { all, none }).observe(signal);
    assert.equal((await observe(["Launch"], ["Terminate"])).verdict, "pass");
    assert.deepEqual(await observe(["Terminate"], ["AZRebalance"]), {
      verdict: "pending",
      evidence: { suspended: ["AZRebalance", "Launch"], missing: ["Terminate"], unwanted: ["AZRebalance"] },
    });
  });

  it("look at the servers that the array has at that moment", async () => {
    const gate = overArray(allServers(awsOf({ left: ["a", "b"] }), outputs), (servers) => ({
      name: "counted",
      observe: async () => ({ verdict: "pass", evidence: servers.length }),
    }));
    assert.equal(gate.name, "counted (array)");
    assert.deepEqual(await gate.observe(signal), { verdict: "pass", evidence: 2 });
  });

  it("take no server for one in service that autoscaling launches or takes away", async () => {
    const aws = awsOf({ array: { servers: [server("a"), server("b", "Pending")] }, left: ["a", "b", "c"] });
    const found = await serversInService(aws, outputs)(signal);
    assert.deepEqual(
      found.map(({ instanceId }) => instanceId),
      ["a"],
    );
  });

  it("say nothing of servers in service while AWS does not show one of them", async () => {
    const aws = awsOf({ array: { servers: [server("a"), server("b")] }, hidden: "b" });
    await assert.rejects(async () => serversInService(aws, outputs)(signal), /does not show b/);
  });

  it("wait until no server of a removed array has been found for a while", async () => {
    const left = ["a"];
    const verdictOf = async (gate: Gate) => (await gate.observe(signal)).verdict;
    assert.equal(await verdictOf(arrayServersGone(awsOf({ left }), ["x"], 0)), "pending");
    assert.equal(await verdictOf(arrayServersGone(awsOf({}), ["x"])), "pending");
    const gate = arrayServersGone(awsOf({ left }), ["x"], 0);
    assert.equal(await verdictOf(gate), "pending");
    left.pop();
    assert.equal(await verdictOf(gate), "pass");
  });
});
