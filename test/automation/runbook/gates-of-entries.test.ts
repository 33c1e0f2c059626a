import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type GateContext, generationOf } from "../../../automation/gates/context.ts";
import { knownWays, testHostOf } from "../../../automation/gates/ways-in.ts";
import { lookBefore } from "../../../automation/runbook/baseline.ts";
import { gatesBefore, gatesOf, type RowGates } from "../../../automation/runbook/gates.ts";
import { type Row, rowNames } from "../../../automation/runbook/rows.ts";
import { parseConfig } from "../../../stacks/config.ts";
import type { Outputs } from "../../../stacks/outputs.ts";

const signal = new AbortController().signal;

/** A site with one entry, or with two, in the middle of a run. */
function contextOf(isTwofold: boolean, states: Readonly<Record<string, string>> = {}): GateContext {
  const entries = { admin: { port: 9000, listeners: [{ port: 9443 }], healthCheck: { path: "/admin/health" } } };
  const config = parseConfig(
    {
      site: {
        hostname: "www.example.com",
        testHostname: "test.example.com",
        port: 8080,
        network: { cidrBlock: "10.20.0.0/16" },
        loadBalancer: { port: 80 },
        ...(isTwofold && { entries }),
      },
      generations: {
        blue: { imageId: "ami-0a1b2c3d4e5f60001", instanceType: "t3.small", frontends: 1 },
        green: { extends: "blue" },
      },
      live: "green",
      upgrade: { comparison: {} },
    },
    import.meta.dirname,
  );
  const listener = { arn: "arn:lb", dnsName: "lb.example.com", port: 80, protocol: "http" } as const;
  const generation = (name: string, weight: number) => ({
    ...{ targetGroupArn: `arn:${name}`, port: 8080, weight, registered: true },
    ...(isTwofold && { entries: { admin: { targetGroupArn: `arn:${name}-admin`, port: 9000 } } }),
    frontends: [{ name: `${name}-1`, instanceId: `i-${name}`, privateIp: "10.20.0.4" }],
    array: { name: `array-${name}`, intent: "active" as const },
  });
  const after: Outputs = {
    ...{ live: "blue", run: null, hostname: "www.example.com", testHostname: "test.example.com" },
    loadBalancer: listener,
    ...(isTwofold && { entries: { admin: { ...listener, port: 9443 } } }),
    addresses: [],
    generations: { blue: generation("blue", 0), green: generation("green", 100) },
    snapshot: null,
    ledgerTable: "handover-test",
  };
  const servers = [{ instanceId: "i-green", lifecycleState: "InService", healthy: true }];
  const aws = {
    absentSeconds: 0,
    targetHealth: async (arn: string) => {
      const state = states[arn] ?? "healthy";
      const is = { TargetHealth: { State: state } };
      return new Map(
        state === ""
          ? []
          : [
              ["i-green", is],
              ["i-blue", is],
            ],
      );
    },
    arrays: { find: async () => ({ desiredCapacity: 1, suspendedProcesses: [], servers }), servers: async () => [] },
  };
  const run = { from: "blue", to: "green", before: after, after, config, id: "r1", stack: "test" };
  return { ...run, aws, manager: {}, redact: String } as unknown as GateContext;
}

const all = ({ first = [], hold, watch }: RowGates) => [...first, ...hold, ...(watch?.gates ?? [])];
const named = (gates: RowGates) => all(gates).map(({ name }) => name);

describe("a row's gates, with two entries", () => {
  /** Gates that judge one entry only; each other one looks at both by itself. */
  const ofOne = /^(smoke (through|on)|weights everywhere|no worse than|probes)/;
  const rows = rowNames.filter((row) => row !== "backup" && row !== "migrate");
  for (const row of rows)
    it(`hold in ${row} for the second wherever they do for the first`, () => {
      for (const gates of [gatesOf, gatesBefore]) {
        const [one, two] = [false, true].map((isTwofold) => named(gates(row, contextOf(isTwofold)))) as [
          string[],
          string[],
        ];
        const doubled = one.filter((name) => ofOne.test(name));
        const second = two.filter((name) => /\(admin\)/.test(name)).map((name) => name.replace(" (admin)", ""));
        assert.deepEqual(second.sort(), doubled.sort());
        assert.deepEqual(two.filter((name) => !/\(admin\)/.test(name)).sort(), one.sort());
      }
    });

  /** Rows whose gates do not all pass, by the state of one target group. */
  async function stopped(states: Readonly<Record<string, string>>): Promise<Row[]> {
    const found: Row[] = [];
    for (const row of rows) {
      const context = contextOf(true, states);
      const gates = [...all(gatesOf(row, context)), ...all(gatesBefore(row, context))];
      const judged = gates.filter(({ name }) => /^(targets healthy|array serves|array in service): green/.test(name));
      const verdicts = await Promise.all(judged.map(async (gate) => (await gate.observe(signal)).verdict));
      if (verdicts.some((verdict) => verdict !== "pass")) found.push(row);
    }
    return found;
  }

  it("let nothing pass whose targets are unhealthy in the second group alone", async () => {
    const either = await stopped({ "arn:green": "unhealthy" });
    assert.ok(either.length > 6, String(either));
    assert.deepEqual(await stopped({ "arn:green-admin": "unhealthy" }), either);
    assert.deepEqual(await stopped({ "arn:green-admin": "" }), either);
    assert.deepEqual(await stopped({}), []);
  });

  it("say which entry it is", async () => {
    const context = contextOf(true, { "arn:green-admin": "unhealthy" });
    const [healthy] = all(gatesBefore("connect", context));
    const missed = [{ name: "green-1", entry: "admin", state: "unhealthy", reason: "" }];
    assert.deepEqual(await healthy?.observe(signal), { verdict: "pending", evidence: { missed } });
  });

  it("wait for the second group to drain too", async () => {
    const drained = async (states: Readonly<Record<string, string>>) => {
      const [gate] = all(gatesOf("drain", contextOf(true, states)));
      return (await gate?.observe(signal))?.verdict;
    };
    assert.equal(await drained({ "arn:blue": "", "arn:blue-admin": "" }), "pass");
    assert.equal(await drained({ "arn:blue": "", "arn:blue-admin": "draining" }), "pending");
    assert.equal(await drained({ "arn:blue": "draining", "arn:blue-admin": "" }), "pending");
  });

  it("know the listener and the target group of each as ways in that Handover shifts", async () => {
    const { aws, after } = contextOf(true);
    const { entries } = await knownWays(aws, after, "green", signal);
    assert.deepEqual(entries, [
      { targetGroupArn: "arn:green", port: 8080, loadBalancerArn: "arn:lb", listenerPort: 80 },
      { targetGroupArn: "arn:green-admin", port: 9000, loadBalancerArn: "arn:lb", listenerPort: 9443 },
    ]);
    assert.deepEqual(
      testHostOf(after).map(({ listenerPort, targetGroupArns }) => [listenerPort, ...targetGroupArns]),
      [
        [80, "arn:blue", "arn:green"],
        [9443, "arn:blue-admin", "arn:green-admin"],
      ],
    );
  });

  it("know of no targets that the outputs do not have", () => {
    assert.throws(() => generationOf(contextOf(true).after, "red"), /no generation "red"/);
  });
});

describe("an entry that the stack does not have yet", () => {
  /** The gates before an update to it outside of a run. */
  const gatesWith = (after: Outputs) =>
    gatesBefore("settle", { ...contextOf(true), from: "green", to: "green", after: { ...after, live: "green" } });

  it("is asked of the servers that serve, an array's too, before they are registered for it", () => {
    const { entries: _, ...without } = contextOf(true).after;
    assert.deepEqual(named(gatesWith(without)), ["new entry answered (admin)", "new entry answered (admin) (array)"]);
    assert.deepEqual(named(gatesWith(contextOf(true).after)), []);
  });

  it("is refused where one of them does not answer as the load balancer will want it", async () => {
    const { entries: _, ...without } = contextOf(true).after;
    const verdictWith = async (status: number) => {
      const server = createServer((_, response) => response.writeHead(status).end());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const context = contextOf(true);
      const admin = { ...context.config.site.entries.admin, port };
      const site = { ...context.config.site, entries: { admin } } as typeof context.config.site;
      const green = { ...generationOf(without, "green") };
      const frontends = green.frontends.map((frontend) => ({ ...frontend, privateIp: "127.0.0.1" }));
      const generations = { ...without.generations, green: { ...green, frontends } };
      const after = { ...without, live: "green", generations };
      const config = { ...context.config, site };
      const [gate] = all(gatesBefore("settle", { ...context, config, from: "green", to: "green", after }));
      try {
        return (await gate?.observe(signal))?.verdict;
      } finally {
        server.close();
      }
    };
    assert.equal(await verdictWith(200), "pass");
    assert.equal(await verdictWith(500), "pending");
  });
});

describe("a site with two entries, before a run", () => {
  /** Two listeners, of which the second answers with a status of its own. */
  async function lookWith(status: number, states: Readonly<Record<string, string>> = {}) {
    const listeners = [200, status].map((each) => createServer((_, response) => response.writeHead(each).end()));
    const ports = await Promise.all(
      listeners.map(async (listener) => {
        await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
        return (listener.address() as AddressInfo).port;
      }),
    );
    const { after, aws, ...context } = contextOf(true, states);
    const running = { InstanceState: { Name: "running" as const } };
    const reads = { ...aws, instanceStatuses: async () => new Map([["i-blue", running]]) };
    const at = (index: number) => ({ ...after.loadBalancer, dnsName: "127.0.0.1", port: ports[index] ?? 0 });
    const outputs = { ...after, loadBalancer: at(0), entries: { admin: at(1) } };
    try {
      const looking = { ...context, aws: reads, before: outputs, after: outputs };
      return await lookBefore(looking as unknown as GateContext, signal);
    } finally {
      for (const listener of listeners) listener.close();
    }
  }

  it("finds what is bad of the second, and that it is of the second", async () => {
    const { down, bad, unseen } = await lookWith(500, { "arn:blue-admin": "unhealthy" });
    assert.equal(down, false);
    assert.deepEqual(unseen, []);
    assert.deepEqual(
      bad.filter(({ kind }) => kind !== "array").map(({ kind, name, seen }) => [kind, name, seen]),
      [
        ["server", "blue-1 (admin)", "unhealthy"],
        ["check", "GET /admin/health of blue (admin)", "500 instead of 200"],
      ],
    );
    assert.deepEqual((await lookWith(200)).bad, []);
  });

  it("waits for none of it on a way back, and still for the first", async () => {
    const { bad } = await lookWith(500, { "arn:blue-admin": "unhealthy" });
    const baseline = { down: false, bad, unseen: [] };
    const context = { ...contextOf(true, { "arn:blue-admin": "unhealthy" }), baseline };
    const [healthy] = all(gatesOf("readmit", context));
    assert.deepEqual(await healthy?.observe(signal), { verdict: "pass", evidence: { healthy: 1 } });
    const names = named(gatesOf("readmit", context));
    assert.ok(names.includes("smoke through the test host name"), String(names));
    assert.ok(!names.includes("smoke through the test host name (admin)"), String(names));
  });
});
