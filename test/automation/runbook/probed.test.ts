import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { GateContext } from "../../../automation/gates/context.ts";
import type { Finding } from "../../../automation/ledger/events.ts";
import { probed } from "../../../automation/runbook/probed.ts";
import type { Outputs } from "../../../stacks/outputs.ts";
import { configOf } from "../config.ts";

const { signal } = new AbortController();

describe("what the driver asks both generations itself", () => {
  let server: Server;
  let asked: Record<string, number>;
  beforeEach((done) => {
    asked = {};
    server = createServer(({ method, url, headers, socket }, response) => {
      const question = `${method} ${url} ${headers.host} ${socket.localAddress}`;
      asked[question] = (asked[question] ?? 0) + 1;
      response.end();
    }).listen(0, done);
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  function gates(upgrade: object, bad: readonly Finding[] = []) {
    const { port } = server.address() as AddressInfo;
    const generation = (name: string, ...ips: string[]) => ({
      targetGroupArn: name,
      port,
      frontends: ips.map((privateIp, index) => ({
        name: `${name}-${index + 1}`,
        instanceId: `i-${name}-${index + 1}`,
        privateIp,
      })),
    });
    const after = {
      hostname: "www.example.com",
      testHostname: "test.example.com",
      loadBalancer: { arn: "arn:lb", dnsName: "lb", port, protocol: "http" },
      addresses: [{ publicIp: "127.0.0.9", allocationId: "eipalloc-1", instanceId: "i-green-1" }],
      generations: { blue: generation("blue", "127.0.0.2", "127.0.0.3"), green: generation("green", "127.0.0.4") },
    } as unknown as Outputs;
    const { config } = configOf({ upgrade });
    const baseline = { down: false, bad, unseen: [] };
    return probed({ config, from: "blue", to: "green", after, baseline } as unknown as GateContext);
  }
  const paths = () =>
    [...new Set(Object.keys(asked).map((question) => question.split(" ").slice(0, 2).join(" ")))].sort();
  const places = () =>
    [...new Set(Object.keys(asked).map((question) => question.split(" ").at(-1)?.replace("::ffff:", "")))].sort();

  it("is every safe smoke check and every path of its own, on each server and each address", async () => {
    const smoke = [
      { path: "/health" },
      { path: "/login", method: "HEAD" },
      { path: "/orders", method: "POST" },
      { command: ["true"] },
    ];
    const [gate = assert.fail()] = gates({ smoke, probe: { paths: ["/", "/health"], perSecond: 12 } });
    await gate.observe(signal);
    assert.deepEqual(paths(), ["GET /", "GET /health", "HEAD /login"]);
    assert.deepEqual(places(), ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9"]);
    assert.equal(
      Object.values(asked).reduce((sum, count) => sum + count, 0),
      3 * 12,
    );
  });

  it("is not asked of an old server that was dead before the run", async () => {
    const dead: Finding = { kind: "server", id: "i-blue-1", name: "blue-1", seen: "stopped" };
    const [gate = assert.fail()] = gates({}, [dead]);
    await gate.observe(signal);
    assert.deepEqual(places(), ["127.0.0.3", "127.0.0.4", "127.0.0.9"]);
  });

  it("is nothing where the configuration says so", () => {
    assert.deepEqual(gates({ probe: { enabled: false } }), []);
  });
});
