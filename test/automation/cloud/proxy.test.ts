import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { connections } from "../../../automation/cloud/client-settings.ts";
import { ask } from "../../../automation/cloud/http.ts";
import { isUnreachable } from "../../../automation/cloud/not-seen.ts";
import { instantQuery } from "../../../automation/cloud/prometheus.ts";
import { proxyEnvironment, proxyFor } from "../../../automation/cloud/proxy.ts";

const proxy = "http://proxy.example.com:3128";
const to = (protocol: "http" | "https", ...names: string[]) => ({
  protocol,
  names,
  port: protocol === "http" ? 80 : 443,
});

describe("a proxy", () => {
  it("is the one of the protocol, in small or in capital letters, with or without http://", () => {
    const env = { HTTP_PROXY: "proxy.example.com:3128", https_proxy: "http://secure.example.com:3128" };
    assert.equal(proxyFor(to("http", "www.example.com"), env), proxy);
    assert.equal(proxyFor(to("https", "www.example.com"), env), "http://secure.example.com:3128");
    assert.equal(proxyFor(to("https", "www.example.com"), { HTTP_PROXY: proxy }), undefined);
    assert.equal(proxyFor(to("http", "www.example.com"), {}), undefined);
  });

  const exceptions: readonly [string, string[], boolean][] = [
    ["example.com", ["www.example.com"], true],
    [".example.com", ["www.example.com"], true],
    ["*.example.com", ["www.example.com"], true],
    ["example.com", ["example.com"], true],
    ["example.com", ["badexample.com"], false],
    ["a.example, WWW.example.com", ["www.example.com"], true],
    ["www.example.com:8443", ["www.example.com"], false],
    ["www.example.com:443", ["www.example.com"], true],
    ["10.0.0.0/8", ["10.20.1.7"], true],
    ["10.0.0.0/8", ["11.0.0.1"], false],
    ["203.0.113.7", ["203.0.113.7"], true],
    ["fd00::/8", ["fd12::7"], true],
    ["*", ["www.example.com"], true],
    // A node of the load balancer is asked by its address, and NO_PROXY has the name.
    ["www.example.com", ["203.0.113.7", "www.example.com"], true],
    ["", ["127.64.0.1"], true],
    ["", ["localhost"], true],
    ["", ["www.example.com"], false],
  ];
  for (const [list, names, isDirect] of exceptions)
    it(`is ${isDirect ? "not " : ""}asked for ${names.join(" and ")} where NO_PROXY is "${list}"`, () =>
      assert.equal(proxyFor(to("https", ...names), { HTTPS_PROXY: proxy, NO_PROXY: list }) === undefined, isDirect));

  it("is told to Node's agents with networks as ranges and names with all below them", () => {
    assert.equal(proxyEnvironment({ NO_PROXY: "*" }), undefined);
    assert.deepEqual(proxyEnvironment({ HTTPS_PROXY: proxy, NO_PROXY: "example.com,10.1.2.3/8" }), {
      HTTPS_PROXY: proxy,
      NO_PROXY: "localhost,.localhost,127.0.0.0-127.255.255.255,::1,example.com,.example.com,10.0.0.0-10.255.255.255",
    });
  });
});

describe("asking through a proxy", () => {
  const before = { ...process.env };
  const servers: Server[] = [];
  const connected: string[] = [];
  let status = 200;

  /** Names and addresses that are nobody's lead to `origin`, as a proxy knows more than this machine does. */
  async function proxyTo(origin: Server): Promise<void> {
    const server = await listening(createServer());
    server.on("connect", ({ url = "" }: IncomingMessage, client: Duplex) => {
      connected.push(url);
      if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const socket = connect(portOf(origin), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(client).pipe(socket);
      });
      socket.on("error", () => client.destroy());
      client.on("error", () => socket.destroy());
    });
    // Plain HTTP of AWS's SDK is passed on.
    server.on("request", (request, response) => {
      connected.push(String(request.url));
      response.writeHead(status).end("<html>from the proxy</html>");
    });
    process.env.HTTP_PROXY = process.env.HTTPS_PROXY = `http://127.0.0.1:${portOf(server)}`;
  }
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const listening = async (server: Server) => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  };
  const never = new AbortController().signal;
  const question = { protocol: "http", address: "203.0.113.7", port: 80, host: "www.example.com", path: "/" } as const;

  beforeEach(() => {
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
      delete process.env[name];
      delete process.env[name.toLowerCase()];
    }
    status = 200;
    connected.length = 0;
  });
  afterEach(() => {
    process.env = { ...before };
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("keeps the address and the host name that were asked for", async () => {
    let host: string | undefined;
    const origin = createServer((request, response) => {
      host = request.headers.host;
      response.end("ok");
    });
    await proxyTo(await listening(origin));
    const { status: answered } = await ask(question, never);
    assert.deepEqual([answered, host, connected], [200, "www.example.com", ["203.0.113.7:80"]]);
  });

  it("asks Prometheus through it", async () => {
    const data = { status: "success", data: { resultType: "scalar", result: [0, "7"] } };
    await proxyTo(await listening(createServer((_, response) => response.end(JSON.stringify(data)))));
    const { values } = await instantQuery("http://prometheus.example.com:9090", "up", never);
    assert.deepEqual([values, connected], [[7], ["prometheus.example.com:9090"]]);
  });

  it("asks AWS through it", async () => {
    await proxyTo(await listening(createServer()));
    status = 502;
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const client = new STSClient({ region: "us-east-1", maxAttempts: 1, credentials, ...connections() });
    await assert.rejects(client.send(new GetCallerIdentityCommand({})));
    client.destroy();
    assert.deepEqual(connected, ["sts.us-east-1.amazonaws.com:443"]);
  });

  for (const code of [403, 407, 502])
    it(`has not asked anybody where the proxy answers ${code} itself`, async () => {
      await proxyTo(await listening(createServer()));
      status = code;
      await assert.rejects(ask(question, never), (error) => isUnreachable(error));
    });

  it("has not asked anybody where there is no proxy, or one that nobody named answers", async () => {
    process.env.HTTP_PROXY = "http://127.0.0.1:1";
    await assert.rejects(ask(question, never), (error) => isUnreachable(error));
    delete process.env.HTTP_PROXY;
    const hidden = await listening(
      createServer((_, response) => response.writeHead(503, { "x-squid-error": "ERR_CONNECT_FAIL 110" }).end()),
    );
    const asked = { ...question, address: "127.0.0.1", port: portOf(hidden) };
    await assert.rejects(ask(asked, never), (error) => isUnreachable(error));
  });
});
