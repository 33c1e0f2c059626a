import { request as httpRequest, type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { requestHeaders, respondInstead, responseHeaders } from "./proxy.ts";
import type { Target } from "./target-groups.ts";

/**
 * Passes a WebSocket upgrade to a target. Once the target has agreed, bytes flow both ways until one side closes; a
 * target that declines has its answer passed on like any other.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
 */
export function forwardUpgrade(
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
  target: Target,
  listenerPort: number,
  cookies: readonly string[],
): void {
  const attempt = httpRequest({
    host: target.host,
    port: target.port,
    method: request.method,
    path: request.url,
    agent: false,
    headers: [...requestHeaders(request, listenerPort), "Connection", "Upgrade", "Upgrade", "websocket"],
  });
  let upstream: Socket | undefined;
  target.inFlight++;
  const untrack = target.onDrop(() => (upstream ?? attempt).destroy());
  client.once("close", () => {
    target.inFlight--;
    untrack();
    (upstream ?? attempt).destroy();
  });

  attempt.on("upgrade", (answer, socket, targetHead) => {
    upstream = socket;
    socket.on("error", () => client.destroy());
    socket.once("close", () => client.destroy());
    client.write(rawHead(answer, cookies));
    client.write(targetHead);
    socket.write(head);
    client.pipe(socket).pipe(client);
  });
  attempt.on("response", (answer) => {
    const response = responseOn(request, client);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.headers, cookies));
    answer.pipe(response);
  });
  attempt.on("error", () => {
    if (client.writable && upstream === undefined) respondOnSocket(request, client, 502);
  });
  attempt.end();
}

/** An answer of the load balancer to an upgrade that no target gets. */
export function respondOnSocket(request: IncomingMessage, client: Socket, status: number): void {
  respondInstead(responseOn(request, client), status);
}

function responseOn(request: IncomingMessage, client: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(client);
  response.shouldKeepAlive = false;
  response.once("finish", () => client.end());
  return response;
}

function rawHead(answer: IncomingMessage, cookies: readonly string[]): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage || STATUS_CODES[answer.statusCode ?? 101]}`];
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  }
  for (const cookie of cookies) lines.push(`set-cookie: ${cookie}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
