import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Place, smoke } from "../../../automation/gates/smoke.ts";

const signal = new AbortController().signal;
const servers: Server[] = [];

async function serving(listener: RequestListener, generation?: string): Promise<Place> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return {
    name: "server",
    question: { protocol: "http", address: "127.0.0.1", port, host: "www.example.com" },
    generation,
  };
}

const check = { path: "/health", expectStatus: 200 };
const observe = (places: Place[], ...checks: { path: string; expectStatus: number }[]) =>
  smoke("smoke", places, checks.length > 0 ? checks : [check]).observe(signal);

describe("smoke", () => {
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("passes when every place answers every check as expected", async () => {
    const place = await serving(({ url }, response) => response.writeHead(url === "/gone" ? 410 : 200).end());
    const { verdict, evidence } = await observe([place, place], check, { path: "/gone", expectStatus: 410 });
    assert.deepEqual([verdict, evidence], ["pass", { asked: 4 }]);
  });

  it("asks with the site's host name", async () => {
    let host: string | undefined;
    const place = await serving(({ headers }, response) => {
      host = headers.host;
      response.end();
    });
    await observe([place]);
    assert.equal(host, "www.example.com");
  });

  it("does not pass on another status, and says what was answered", async () => {
    const place = await serving((_, response) => response.writeHead(500).end());
    const { verdict, evidence } = await observe([place]);
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /"answered":500/);
  });

  it("does not pass when another generation answers", async () => {
    const place = await serving((_, response) => response.writeHead(200, { "x-generation": "blue" }).end(), "green");
    const { verdict, evidence } = await observe([place]);
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /generation blue/);
  });

  it("takes a redirect for the answer that it is, and does not follow it", async () => {
    const place = await serving((_, response) => response.writeHead(302, { location: "/health" }).end());
    assert.equal((await observe([place])).verdict, "pending");
  });

  it("reads no more of an endless body than it needs", async () => {
    const place = await serving((_, response) => {
      response.writeHead(200);
      const write = () => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", write);
      };
      write();
    });
    assert.equal((await observe([place])).verdict, "pass");
  });

  it("takes a refused connection for an answer, not for an unreachable server", async () => {
    const place = await serving(() => {});
    servers.splice(0).forEach((server) => void server.close());
    const never = { name: "stand-in", observe: () => Promise.reject(new Error("asked")) };
    const { verdict, evidence } = await smoke("smoke", [place], [check], never).observe(signal);
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /ECONNREFUSED/);
  });
});
