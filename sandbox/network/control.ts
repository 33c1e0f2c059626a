import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Network } from "./network.ts";

/** The network's own API, for people and the load generator: `GET /network/status` and `GET /network/moves`. */
export async function serveControl(network: Network, host: string, port: number): Promise<Server> {
  const documents: Readonly<Record<string, () => unknown>> = {
    "/network/status": () => network.status(),
    "/network/moves": () => network.moves,
  };
  const server = createServer((request, response) => {
    const document = request.method === "GET" ? documents[request.url ?? ""] : undefined;
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    const known = { error: `nothing at ${request.method} ${request.url}`, get: Object.keys(documents) };
    response.end(`${JSON.stringify(document === undefined ? known : document())}\n`);
  });
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return server;
}
