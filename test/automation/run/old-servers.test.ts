import assert from "node:assert/strict";
import type { Gate } from "../../../automation/gates/gate.ts";
import { OldServers } from "../../../automation/run/old-servers.ts";

const signal = new AbortController().signal;
const quiet: Gate = { name: "quiet", observe: async () => ({ verdict: "pass", evidence: { active: 0 } }) };
const busy = (patienceSeconds: number): Gate => ({
  name: "busy",
  patienceSeconds,
  whenOver: "inconclusive",
  observe: async () => ({ verdict: "pending", evidence: { active: 1 } }),
});
const serversOf = (gates: Record<string, Gate>, terminate = false) =>
  new OldServers(new Map(Object.entries(gates)), { seconds: 60, terminate, signal });

describe("old servers whose sessions end", () => {
  let servers: OldServers;
  afterEach(() => servers.close());

  it("end together when all are quiet", async () => {
    servers = serversOf({ "blue-1": quiet, "blue-2": quiet });
    await servers.someEnded();
    assert.deepEqual([servers.left, servers.stuck], [[], []]);
    assert.deepEqual(
      servers.news().map(({ verdict }) => verdict),
      ["pass", "pass"],
    );
  });

  it("end without one that is busy", async () => {
    servers = serversOf({ "blue-1": quiet, "blue-2": busy(3600), "blue-3": quiet });
    await servers.someEnded();
    assert.deepEqual([servers.left, servers.stuck], [["blue-2"], []]);
  });

  it("are stuck when the time of all that are left is over, and not before the others are gone", async () => {
    servers = serversOf({ "blue-1": quiet, "blue-2": busy(0) });
    await servers.someEnded();
    assert.deepEqual([servers.left, servers.stuck], [["blue-2"], []]);
    servers.gone();
    await servers.someEnded();
    assert.deepEqual(servers.stuck, ["blue-2"]);
    assert.deepEqual(
      servers.news().map(({ gate, verdict }) => `${gate}: ${verdict}`),
      ["quiet: pass", "busy: inconclusive"],
    );
  });

  it("end with their sessions at the limit where that is the configuration's word, and it is on record", async () => {
    servers = serversOf({ "blue-1": busy(0) }, true);
    await servers.someEnded();
    assert.deepEqual([servers.left, servers.stuck], [[], []]);
    const [result] = servers.news();
    assert.deepEqual([result?.verdict, result?.evidence], ["pass", { limitPassed: true, seen: { active: 1 } }]);
  });

  it("are not waited for when there is nothing to ask", async () => {
    servers = serversOf({});
    await servers.someEnded();
    assert.deepEqual([servers.left, servers.stuck], [[], []]);
  });

  it("are not waited for any more when the signal comes", async () => {
    const stop = new AbortController();
    servers = new OldServers(new Map([["blue-1", busy(3600)]]), { seconds: 60, terminate: false, signal: stop.signal });
    const waiting = servers.someEnded();
    stop.abort(new Error("stop"));
    await assert.rejects(waiting, /stop/);
  });
});
