import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { hold } from "../../../automation/gates/gate.ts";
import { identityOf } from "../../../automation/gates/identity.ts";
import { type Place, smoke } from "../../../automation/gates/smoke.ts";
import { httpCheckOf } from "../../../stacks/config/checks.ts";
import { configOf } from "../config.ts";

const signal = new AbortController().signal;
const servers: Server[] = [];

/** The certificate of nobody, for www.example.com, with its key. */
const selfSigned = readFileSync(join(import.meta.dirname, "self-signed.pem"));

async function serving(
  listener: RequestListener,
  generation?: string,
  protocol: "http" | "https" = "http",
): Promise<Place> {
  const server =
    protocol === "http" ? createServer(listener) : createTlsServer({ cert: selfSigned, key: selfSigned }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return {
    name: "server",
    question: { protocol, address: "127.0.0.1", port, host: "www.example.com" },
    generation,
  };
}

type Check = Parameters<typeof httpCheckOf>[0];
const check = { path: "/health" };
const observe = (places: Place[], ...checks: Check[]) =>
  smoke("smoke", places, (checks.length > 0 ? checks : [check]).map(httpCheckOf)).observe(signal);

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

  describe("where every answer is to say who gave it", () => {
    const { config } = configOf({ upgrade: { identify: { json: "revision", equals: "$inputs.APP_REVISION" } } });
    const options = { identity: identityOf({ config, from: "blue", to: "green" }), redact: String };
    const identifying = { ...httpCheckOf({ path: "/" }), identifies: true };
    const answering = async (text: string) => {
      const place = await serving((_, response) => response.end(text), "green");
      return smoke("smoke", [place], [identifying], options).observe(signal);
    };

    it("passes with what the generation says", async () => {
      const { verdict, evidence } = await answering('{"revision":42}');
      assert.deepEqual([verdict, evidence], ["pass", { asked: 1 }]);
    });

    it("takes the other generation's answer for late, and what nobody says for wrong", async () => {
      for (const [text, unproven, answered] of [
        ['{"revision":41}', true, "generation blue"],
        ['{"revision":43}', false, "43"],
        ["{}", false, "nothing there"],
      ] as const) {
        const observation = await answering(text);
        assert.deepEqual([observation.verdict, observation.unproven], ["pending", unproven], text);
        assert.match(JSON.stringify(observation.evidence), new RegExp(`"answered":"${answered}"`));
      }
    });

    it("takes secrets out of what is said", async () => {
      const place = await serving((_, response) => response.end('{"revision":"s3cret"}'), "green");
      const gate = smoke("smoke", [place], [identifying], { ...options, redact: () => "[secret]" });
      assert.doesNotMatch(JSON.stringify(await gate.observe(signal)), /s3cret/);
    });
  });

  it("says what is open where it passes and no answer says who gave it", async () => {
    const options = { unsigned: "who answers is not known" };
    const pass = async (headers: Record<string, string>) => {
      const place = await serving((_, response) => response.writeHead(200, headers).end(), "green");
      return (await smoke("smoke", [place], [httpCheckOf(check)], options).observe(signal)).evidence;
    };
    assert.deepEqual(await pass({}), { asked: 1, notJudged: "who answers is not known" });
    assert.deepEqual(await pass({ "x-generation": "green" }), { asked: 1 });
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

  it("reads no more than the first 64 KB of an answer, and matches in those", async () => {
    const body = `${"x".repeat(64 * 1024 - 3)}end${"x".repeat(10_000_000)}end.`;
    const place = await serving((_, response) => response.end(body));
    assert.equal((await observe([place], { path: "/", expectBody: "end$" })).verdict, "pass");
  });

  it("does not pass when the body is not like the pattern, and quotes its beginning without secrets", async () => {
    const place = await serving((_, response) => response.end("maintenance: s3cret"));
    const redact = (text: string) => text.replaceAll("s3cret", "[secret]");
    const gate = smoke("smoke", [place], [httpCheckOf({ path: "/", expectBody: "^ok" })], { redact });
    const { verdict, evidence } = await gate.observe(signal);
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /"expected":"a body like \^ok","answered":"maintenance: \[secret\]"/);
  });

  it("looks for a value in the JSON of the body", async () => {
    const place = await serving((_, response) => response.end('{"pools":[{"ok":true}],"version":"42"}'));
    const expecting = (path: string, equals: string | boolean) =>
      observe([place], { path: "/", expectJson: { path, equals } });
    assert.equal((await expecting("pools.0.ok", true)).verdict, "pass");
    assert.match(JSON.stringify(await expecting("version", "41")), /"expected":"version = \\"41\\"","answered":"\\"42/);
    assert.match(JSON.stringify(await expecting("pools.1.ok", true)), /no pools\.1\.ok in/);
  });

  it("asks with the method and the headers that the check names", async () => {
    let asked = "";
    const place = await serving(({ method, headers }, response) => {
      asked = `${method} ${headers["x-probe"]} ${headers.host}`;
      response.end();
    });
    await observe([place], { path: "/", method: "POST", headers: { "x-probe": "7", host: "elsewhere" } });
    assert.equal(asked, "POST 7 www.example.com");
  });

  it("wants as many passes in a row as the check says", async () => {
    let asked = 0;
    const place = await serving((_, response) => response.writeHead(++asked === 3 ? 500 : 200).end());
    assert.equal((await observe([place], { path: "/", passes: 3 })).verdict, "pending");
    assert.equal((await observe([place], { path: "/", passes: 3 })).verdict, "pass");
    assert.equal(asked, 6);
  });

  it("has nothing against places that cannot be asked from here: inconclusive, however long it waits", async () => {
    // Documentation's network, through a proxy that is not there.
    const question = { protocol: "http", address: "203.0.113.7", port: 80, host: "www.example.com" } as const;
    const before = { ...process.env };
    process.env.HTTP_PROXY = process.env.http_proxy = "http://127.0.0.1:1";
    try {
      const gate = smoke("smoke", [{ name: "load balancer", question }], [httpCheckOf(check)]);
      const [result] = await hold([gate], { seconds: 0, signal });
      assert.deepEqual([result?.verdict, result?.notSeen], ["inconclusive", "unreachable"]);
    } finally {
      process.env = before;
    }
  });

  it("fails for a server that refuses the connection", async () => {
    const place = await serving((_, response) => response.end());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const [result] = await hold([smoke("smoke", [place], [httpCheckOf(check)])], { seconds: 0, signal });
    assert.equal(result?.verdict, "fail");
  });

  it("gives up on a server that takes the connection and never answers", async () => {
    const place = await serving(() => {});
    const { verdict, evidence } = await observe([place], { path: "/", timeoutSeconds: 1 });
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /no answer within 1 s/);
  });

  it("stops asking when the signal comes, and does not call that an answer", async () => {
    const stop = new AbortController();
    const place = await serving(() => stop.abort(new Error("stop")));
    const checks = [httpCheckOf({ path: "/", timeoutSeconds: 60 })];
    await assert.rejects(smoke("smoke", Array(200).fill(place), checks).observe(stop.signal), /stop/);
  });

  it("does not trust a certificate that is not valid, unless the check says so", async () => {
    const place = await serving((_, response) => response.end(), undefined, "https");
    assert.match(JSON.stringify(await observe([place])), /self-signed certificate/);
    assert.equal((await observe([place], { path: "/", tls: { verify: false } })).verdict, "pass");
  });

  it("takes a refused connection for an answer, not for an unreachable server", async () => {
    const place = await serving(() => {});
    servers.splice(0).forEach((server) => void server.close());
    const never = { name: "stand-in", observe: () => Promise.reject(new Error("asked")) };
    const { verdict, evidence } = await smoke("smoke", [place], [httpCheckOf(check)], { standIn: never }).observe(
      signal,
    );
    assert.equal(verdict, "pending");
    assert.match(JSON.stringify(evidence), /ECONNREFUSED/);
  });
});
