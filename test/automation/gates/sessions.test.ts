import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Gate } from "../../../automation/gates/gate.ts";
import { sessionsEnded } from "../../../automation/gates/sessions.ts";
import { sessionsSchema } from "../../../stacks/checks.ts";

const signal = new AbortController().signal;
const servers: Server[] = [];

type Sessions = Parameters<typeof sessionsSchema.parse>[0] & object;

/** The gate of a server that answers so, on an instance in this state. */
async function gateOf(sessions: Sessions, listener: RequestListener, state = "running"): Promise<Gate> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const statuses = new Map([["i-1", { InstanceState: { Name: state as "running" } }]]);
  return sessionsEnded(
    { instanceStatuses: async () => statuses },
    sessionsSchema.parse({ path: "/server-status?auto", quietSeconds: 0, ...sessions }),
    { name: "blue-1", instanceId: "i-1", privateIp: "127.0.0.1" },
    { hostname: "www.example.com", port: (server.address() as AddressInfo).port },
  );
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
    const gate = await gateOf({ field: "BusyWorkers", limitSeconds: 7 }, apache(2));
    assert.deepEqual([gate.patienceSeconds, gate.whenOver], [7, "inconclusive"]);
  });
});
