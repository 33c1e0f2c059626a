import assert from "node:assert/strict";
import type { GateContext } from "../../../automation/gates/context.ts";
import { gatesOf } from "../../../automation/runbook/gates.ts";
import type { Row } from "../../../automation/runbook/rows.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const print = "const e = process.env; console.log(e.HANDOVER_PHASE, e.HANDOVER_HOST, e.HANDOVER_SERVER_URLS)";
const smoke = [{ path: "/health" }, { command: [process.execPath, "-e", print] }, { ssm: { document: "Smoke" } }];

/** A site of two generations with a frontend each; green has an array with one server in service and one on its way. */
class World {
  /** The servers that each document ran on. */
  readonly ran: (readonly string[])[] = [];
  healthy = true;

  /** The row's gates over the user's own suite, by name. */
  suites(row: Row, { from = "blue", array = true, weight = 50 } = {}) {
    const generation = (name: string, address: string) => ({
      targetGroupArn: name,
      port: 8080,
      weight,
      registered: true,
      frontends: [{ name: `${name}-1`, instanceId: `i-${name}`, privateIp: address }],
      ...(array && name === "green" && { array: { name: "a-1", intent: "active", suspendedByOperator: [] } }),
    });
    const after = {
      live: from === "green" ? "green" : "blue",
      hostname: "www.example.com",
      testHostname: "test.example.com",
      loadBalancer: { arn: "arn:lb", dnsName: "lb.example.com", port: 80, protocol: "http" },
      addresses: [],
      generations: { blue: generation("blue", "10.20.0.4"), green: generation("green", "10.20.0.5") },
    } as unknown as Outputs;
    const server = (instanceId: string, lifecycleState: string) => ({ instanceId, lifecycleState, healthy: true });
    const health = () => ({ TargetHealth: { State: this.healthy ? "healthy" : "initial" } });
    const aws = {
      targetHealth: async () => new Map(["i-blue", "i-green", "i-a"].map((id) => [id, health()])),
      arrays: {
        find: async () => ({ desiredCapacity: 1, suspendedProcesses: [], servers: [server("i-a", "InService")] }),
        byId: async () => [{ name: "i-a", instanceId: "i-a", privateIp: "10.20.0.6" }],
      },
    };
    const run = async (_document: unknown, ids: readonly string[]) => {
      this.ran.push(ids);
      return new Map(ids.map((id) => [id, { status: "Success", exitCode: 0, output: "" }]));
    };
    const { config } = configOf({ upgrade: { smoke } });
    const context = { config, from, to: "green", before: after, after, aws, manager: { run }, redact: String };
    const { hold } = gatesOf(row, context as unknown as GateContext);
    return new Map(hold.flatMap((gate) => (/^smoke (command|document)/.test(gate.name) ? [[gate.name, gate]] : [])));
  }

  /** What the user's command was told in a row, and the servers that the document ran on. */
  async observe(row: Row, options = {}) {
    const told: unknown[] = [];
    for (const [name, gate] of this.suites(row, options)) {
      const { verdict, evidence } = await gate.observe(new AbortController().signal);
      assert.equal(verdict, "pass", JSON.stringify(evidence));
      if (name.startsWith("smoke command")) told.push((evidence as { output: string }).output);
    }
    return [...told, ...this.ran];
  }
}

describe("the user's own suite", () => {
  it("runs on the new servers, asking for the test host name, when they are launched", async () => {
    for (const row of ["launch-first", "launch-rest"] as const)
      assert.deepEqual(await new World().observe(row), [`${row} test.example.com http://10.20.0.5:8080`, ["i-green"]]);
  });

  it("runs on the servers of the new array when those are launched", async () => {
    assert.deepEqual(await new World().observe("suspend-array"), [
      "suspend-array test.example.com http://10.20.0.6:8080",
      ["i-a"],
    ]);
    assert.deepEqual(await new World().observe("suspend-array", { array: false }), []);
  });

  it("runs on all servers, asking for the site's name, in a first deployment", async () => {
    assert.deepEqual(await new World().observe("settle", { from: "green" }), [
      "settle www.example.com http://10.20.0.5:8080 http://10.20.0.6:8080",
      ["i-green", "i-a"],
    ]);
  });

  it("asks the site for what it needs once all traffic is on the new servers, on which no document runs again", async () => {
    assert.deepEqual(await new World().observe("observe", { weight: 100 }), [
      "observe www.example.com http://10.20.0.5:8080",
    ]);
  });

  it("does not ask old servers what only the new ones may know: while traffic is shared it has the test host name", async () => {
    assert.deepEqual(await new World().observe("move-addresses"), [
      "move-addresses test.example.com http://10.20.0.5:8080",
    ]);
  });

  it("does not run on the way back", () => {
    for (const row of ["withdraw", "readmit", "settle"] as const)
      assert.deepEqual([...new World().suites(row).keys()], []);
  });

  it("waits until the servers are healthy", async () => {
    const world = new World();
    world.healthy = false;
    for (const row of ["launch-rest", "suspend-array", "observe"] as const)
      for (const [, gate] of world.suites(row)) {
        const { verdict } = await gate.observe(new AbortController().signal);
        assert.equal(verdict, "pending");
      }
    assert.deepEqual(world.ran, []);
  });
});
