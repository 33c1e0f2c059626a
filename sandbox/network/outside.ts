import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { WayOut } from "./way-out.ts";

/** Where the service outside listens, and how long a server without a way out waits for a connection to it. */
export interface Outside {
  readonly host: string;
  readonly port: number;
  /** Default: 1,000. Others wait for minutes: a connection that nothing answers is tried again and again. */
  readonly connectMilliseconds?: number;
}

/** The header in which the network, which has one machine's addresses only, tells a public one. */
const sourceHeader = "x-source-address";

/** A service on the Internet, as a partner has one: it answers with the address from which it was called. */
export async function serveOutside(host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    const source = request.headers[sourceHeader];
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    response.end(`${source ?? "unknown"}\n`);
  });
  server.listen({ host, port, exclusive: true });
  await once(server, "listening");
  return server;
}

/**
 * A server's call to the service outside, which leaves the network by its way out at that moment.
 * @returns the address from which it was called
 * @throws Error when nothing answers, as where there is no way out
 */
export async function askOutside(
  { host, port, connectMilliseconds = 1_000 }: Outside,
  way: WayOut | undefined,
): Promise<string> {
  if (way === undefined) {
    await sleep(connectMilliseconds);
    throw new Error(`connect ETIMEDOUT ${host}:${port}`);
  }
  const headers = way.source === null ? {} : { [sourceHeader]: way.source };
  const attempt = request({ host, port, headers, agent: false, timeout: connectMilliseconds });
  attempt.end();
  const [response] = (await once(attempt, "response")) as [IncomingMessage];
  return (await text(response)).trim();
}
