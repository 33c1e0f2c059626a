import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A name that only the proxy knows, as inside a company: this machine's own addresses are never asked through one. */
const cloudName = "aws.sandbox.test";

/** A company's way out, through which a driver asks the cloud. */
export class WayOut {
  readonly #cloud: URL;
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;
  #port = 0;
  /** Requests and tunnels so far. */
  passed = 0;

  constructor(cloudUrl: string) {
    this.#cloud = new URL(cloudUrl);
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((asked, answer) => {
      this.passed++;
      const { host, pathname, search } = new URL(asked.url ?? "");
      const { hostname, port } = this.#destination(host);
      const options = { host: hostname, port, path: pathname + search, method: asked.method, headers: asked.headers };
      const passedOn = request(options, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      passedOn.on("error", () => answer.destroy());
      asked.pipe(passedOn);
    });
    // Node's event has a phase's name, and those stand in quotes in the runbook alone.
    server.on("CONNECT".toLowerCase(), ({ url = "" }: IncomingMessage, client: Duplex) => {
      this.passed++;
      const { hostname, port } = this.#destination(url);
      const origin = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        origin.pipe(client).pipe(origin);
      });
      for (const socket of [origin, client]) socket.on("error", () => [origin, client].map((each) => each.destroy()));
    });
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.listen({ host: "127.0.0.1", port: this.#port });
    await once(server, "listening");
    const address = server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Nobody gets out any more. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, "close");
  }

  /** Variables of a driver whose only way to the cloud it is. */
  get env(): Record<string, string> {
    const proxy = `http://127.0.0.1:${this.#port}`;
    const url = `http://${cloudName}:${this.#cloud.port}`;
    return { AWS_ENDPOINT_URL: url, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: "elb.localhost" };
  }

  #destination(host: string): { hostname: string; port: string } {
    const [name = "", port = "80"] = host.split(":");
    return name === cloudName ? this.#cloud : { hostname: name, port };
  }
}
