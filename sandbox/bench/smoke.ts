import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { smoke } from "../../automation/gates/smoke.ts";
import { httpCheckOf } from "../../stacks/config/checks.ts";

/** Measures one look at many servers that are slow to answer. The bar is 3 s. */

const servers = 100;
const answerMilliseconds = 50;
const checks = [httpCheckOf({ path: "/health" }), httpCheckOf({ path: "/health/db", expectBody: "^ok" })];

const server = createServer(async (_, response) => {
  await sleep(answerMilliseconds);
  response.end("ok\n");
}).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
// One process stands for all servers; each question has a connection of its own, as always.
const places = Array.from({ length: servers }, (_, index) => ({
  name: `green-${index + 1}`,
  question: { protocol: "http", address: "127.0.0.1", port, host: "www.example.com" } as const,
}));
const gate = smoke("smoke", places, checks);
const started = performance.now();
const { verdict } = await gate.observe(new AbortController().signal);
const seconds = (performance.now() - started) / 1000;
console.log(
  `smoke of ${servers} servers, ${checks.length} checks each, answered in ${answerMilliseconds} ms: ${verdict} in ${seconds.toFixed(2)} s (bar: 3 s)`,
);
server.close();
process.exitCode = verdict === "pass" && seconds < 3 ? 0 : 1;
