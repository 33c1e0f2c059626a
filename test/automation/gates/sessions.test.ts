import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Gate, hold } from "../../../automation/gates/gate.ts";
import { inCloudWatch, onStatusPage } from "../../../automation/gates/session-count.ts";
import { sessionsEnded, sessionsEndedOnAll } from "../../../automation/gates/sessions.ts";
import { sessionsSchema } from "../../../stacks/config/checks.ts";

const signal = new AbortController().signal;
const blue = { name: "blue-1", instanceId: "i-1", privateIp: "127.0.0.1" };
const servers: Server[] = [];

type Sessions = Parameters<typeof sessionsSchema.parse>[0] & object;

/** The gate of a server that answers so, on an instance in this state. */
async function gateOf(sessions: Sessions, listener: RequestListener, state = "running"): Promise<Gate> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const statuses = new Map([["i-1", { InstanceState: { Name: state as "running" } }]]);
  const parsed = sessionsSchema.parse({ path: "/server-status?auto", quietSeconds: 0, ...sessions });
  const { port } = server.address() as AddressInfo;
  const page = { protocol: "http", address: "127.0.0.1", port, host: "www.example.com" } as const;
  const aws = { instanceStatuses: async () => statuses, cloudWatch: { metricData: async () => new Map() } };
  return sessionsEnded(blue, parsed, onStatusPage(aws, parsed, blue, page));
}

const apache = (busy: number): RequestListener => {
  return (_, response) => response.end(`Total Accesses: 9\nBusyWorkers: ${busy}\nIdleWorkers: 2\n`);
};

describe("sessions of an old server", () => {
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("have ended when Apache's status says so", async () => {
    const sessions = { field: "BusyWorkers", atMost: 1 };
    assert.equal((await (await gateOf(sessions, apache(1))).observe(signal)).verdict, "pass");
    const { verdict, evidence } = await (await gateOf(sessions, apache(2))).observe(signal);
    assert.deepEqual([verdict, evidence], ["pending", { active: 2 }]);
  });

  it("have ended when a number in the page's JSON says so", async () => {
    const gate = await gateOf({ json: "sessions.active" }, (_, response) => response.end('{"sessions":{"active":0}}'));
    assert.equal((await gate.observe(signal)).verdict, "pass");
  });

  it("have not ended before the server was quiet for a time", async () => {
    const gate = await gateOf({ field: "BusyWorkers", atMost: 1, quietSeconds: 60 }, apache(1));
    assert.deepEqual(await gate.observe(signal), { verdict: "pending", evidence: { active: 1, quietSeconds: 0 } });
  });

  it("are not known when the page does not tell, or nobody answers", async () => {
    const field = { field: "BusyWorkers" };
    await assert.rejects((await gateOf(field, (_, r) => r.end("hello"))).observe(signal), /no line "BusyWorkers:/);
    await assert.rejects(
      (await gateOf({ json: "a.b" }, (_, r) => r.end('{"a":{}}'))).observe(signal),
      /no number a\.b/,
    );
    const deaf = await gateOf(field, (request) => request.destroy());
    await assert.rejects(deaf.observe(signal));
  });

  it("have ended with a server that is gone", async () => {
    const gate = await gateOf({ field: "BusyWorkers" }, (request) => request.destroy(), "terminated");
    assert.deepEqual(await gate.observe(signal), { verdict: "pass", evidence: { gone: "i-1" } });
  });

  it("are waited for as long as the configuration says, and are then no reason to end the server", async () => {
    const busy = async () => ({ active: 2 });
    const gate = sessionsEnded(
      blue,
      sessionsSchema.parse({ path: "/", json: "a", limitSeconds: 0, quietSeconds: 0 }),
      busy,
    );
    const [result] = await hold([gate], { seconds: 3600, signal });
    assert.deepEqual([result?.verdict, result?.evidence], ["inconclusive", { active: 2 }]);
  });

  it("are counted on each server of an array, and hold it until none has any", async () => {
    const sessions = sessionsSchema.parse({ path: "/", json: "active", limitSeconds: 7, quietSeconds: 0 });
    const active: Record<string, number> = { "i-1": 0, "i-2": 3 };
    const all = ["i-1", "i-2"].map((id) => ({ ...blue, name: id, instanceId: id }));
    const gate = sessionsEndedOnAll(
      "blue array",
      sessions,
      async () => all,
      (server) =>
        sessionsEnded(server, sessions, async () => {
          const count = active[server.instanceId] ?? 0;
          return count > 0 ? { active: count } : { active: 0, quietSeconds: 0 };
        }),
    );
    assert.deepEqual(
      [gate.name, gate.patienceSeconds, gate.whenOver],
      ["sessions ended: blue array", 7, "inconclusive"],
    );
    const missed = { missed: [{ name: "i-2", evidence: { active: 3 } }] };
    assert.deepEqual(await gate.observe(signal), { verdict: "pending", evidence: missed });
    active["i-2"] = 0;
    assert.deepEqual(await gate.observe(signal), { verdict: "pass", evidence: { servers: 2 } });
  });
});

describe("sessions of an old server, by a metric of its own", () => {
  const minute = 60_000;
  const begun = 1_000_000 * minute;
  const active = {
    namespace: "Shop",
    metricName: "ActiveSessions",
    dimensions: { InstanceId: "$instanceId" },
    stat: "Maximum",
  };
  const sessions = sessionsSchema.parse({ cloudWatch: { metrics: { active } }, quietSeconds: 120, limitSeconds: 3600 });
  /** The gate ten minutes after its begin, with these values by the minute in which they were published. */
  const observe = (values: Record<number, number>, { state = "running", asked = [] as unknown[] } = {}) => {
    const series = Object.entries(values).map(([at, value]): [number, number] => [begun + Number(at) * minute, value]);
    const times = [begun, begun + 10 * minute];
    const aws = {
      instanceStatuses: async () => new Map([["i-1", { InstanceState: { Name: state as "running" } }]]),
      cloudWatch: {
        metricData: async (...question: unknown[]) => {
          asked.push(...question.slice(0, 2));
          return new Map([["active", new Map(series)]]);
        },
      },
    };
    const count = inCloudWatch(aws, sessions, sessions.cloudWatch ?? assert.fail(), blue, () => times.shift() ?? 0);
    return sessionsEnded(blue, sessions, count).observe(signal);
  };

  it("are asked for that server alone, in the minutes since its draining was over", async () => {
    const asked: unknown[] = [];
    await observe({}, { asked });
    const Metric = {
      Namespace: "Shop",
      MetricName: "ActiveSessions",
      Dimensions: [{ Name: "InstanceId", Value: "i-1" }],
    };
    assert.deepEqual(asked, [
      [{ Id: "active", ReturnData: true, MetricStat: { Metric, Stat: "Maximum", Period: 60 } }],
      { start: begun, end: begun + 8 * minute },
    ]);
  });

  it("have ended when the newest minutes were quiet for long enough", async () => {
    const { verdict, evidence } = await observe({ 0: 4, 1: 0, 2: 0 });
    assert.deepEqual([verdict, evidence], ["pass", { active: 0, quietSeconds: 120 }]);
  });

  it("have not ended while the newest minute is busy, or quiet for too short a time", async () => {
    assert.deepEqual(await observe({ 0: 0, 1: 0, 2: 3 }), { verdict: "pending", evidence: { active: 3 } });
    const short = { verdict: "pending", evidence: { active: 0, quietSeconds: 60 } };
    assert.deepEqual(await observe({ 0: 4, 1: 0 }), short);
  });

  it("are not known to have ended in minutes without a value", async () => {
    assert.deepEqual(await observe({}), { verdict: "pending", evidence: { active: "not known yet" } });
    const gap = { verdict: "pending", evidence: { active: 0, quietSeconds: 60 } };
    assert.deepEqual(await observe({ 0: 0, 2: 0 }), gap);
  });

  it("have ended with a server that is gone, though its last value stays", async () => {
    const { verdict, evidence } = await observe({ 0: 4 }, { state: "terminated" });
    assert.deepEqual([verdict, evidence], ["pass", { gone: "i-1" }]);
  });
});
