import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Network } from "./network.ts";

/**
 * The network's own API, for people, the load generator and storms: `GET /network/status`, `GET /network/moves`,
 * `GET /network/without-way-out?since=MILLISECONDS`, and `POST /network/crash/INSTANCE`, after which nothing listens on that
 * server until it is started again.
 */
export async function serveControl(network: Network, host: string, port: number): Promise<Server> {
  const documents: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {
    "/network/status": () => network.status(),
    "/network/moves": () => network.moves,
    "/network/without-way-out": (query) => network.withoutWayOut.list(Number(query.get("since"))),
  };
  const server = createServer((request, response) => {
    const [, crashed] = /^\/network\/crash\/(\S+)$/.exec(request.url ?? "") ?? [];
    if (request.method === "POST" && crashed !== undefined) {
      response.writeHead(network.crash(crashed) ? 204 : 404).end();
      return;
    }
    const [path = "", query] = (request.url ?? "").split("?", 2);
    const document = request.method === "GET" ? documents[path] : undefined;
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    const known = { error: `nothing at ${request.method} ${request.url}`, get: Object.keys(documents) };
    response.end(`${JSON.stringify(document === undefined ? known : document(new URLSearchParams(query)))}\n`);
  });
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return server;
}
