import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { type Dispatcher, errors } from "undici";
import type { Target } from "./target-groups.ts";

/** Headers of one connection, which a proxy does not pass on: RFC 9110, section 7.6.1. */
const hopByHop = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The headers that the target gets: the client's, and where it came from. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html */
export function requestHeaders(request: IncomingMessage, listenerPort: number): string[] {
  const named = connectionOptions(request.headers.connection);
  const headers: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || named.has(lower) || lower.startsWith("x-forwarded-")) continue;
    headers.push(name, request.rawHeaders[index + 1] ?? "");
  }
  const passed = request.headers["x-forwarded-for"];
  const client = request.socket.remoteAddress ?? "";
  headers.push("X-Forwarded-For", passed === undefined ? client : `${passed}, ${client}`);
  headers.push("X-Forwarded-Proto", "http", "X-Forwarded-Port", String(listenerPort));
  return headers;
}

export function responseHeaders(headers: IncomingHttpHeaders, cookies: readonly string[]): OutgoingHttpHeaders {
  const named = connectionOptions(headers.connection);
  const passed: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!hopByHop.has(name) && !named.has(name)) passed[name] = value;
  }
  if (cookies.length > 0) passed["set-cookie"] = [...[headers["set-cookie"] ?? []].flat(), ...cookies];
  return passed;
}

function connectionOptions(header: string | undefined): Set<string> {
  return new Set(header?.split(",").map((option) => option.trim().toLowerCase()));
}

/**
 * Passes a request to a target and streams the answer back. A client that goes takes its request along. The request is
 * sent once, whatever happens; the load balancer answers in the target's place with
 * - 502 when the target refuses or closes the connection, answers what is not HTTP, or is deregistered meanwhile,
 * - 504 when it does not accept the connection within 10 s, or does not answer within the idle timeout.
 *
 * An answer that has begun and cannot be finished ends with the client's connection.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  target: Target,
  listenerPort: number,
  cookies: readonly string[],
): void {
  let controller: Dispatcher.DispatchController | undefined;
  let clientGone = false;
  let settled = false;
  let answered = false;
  const sent = performance.now();
  const settle = () => {
    if (!settled) target.inFlight--;
    settled = true;
  };

  response.once("close", () => {
    if (settled) return;
    clientGone = true;
    controller?.abort(new errors.RequestAbortedError());
  });

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (clientGone) started.abort(new errors.RequestAbortedError());
    },
    onResponseStart(_, status, headers, statusMessage) {
      if (status < 200) return;
      answered = true;
      target.onAnswer({ status, seconds: (performance.now() - sent) / 1000 });
      response.writeHead(status, statusMessage ?? "", responseHeaders(headers, cookies));
    },
    onResponseData(stream, chunk) {
      if (response.write(chunk)) return;
      stream.pause();
      response.once("drain", () => stream.resume());
    },
    onResponseEnd() {
      settle();
      response.end();
    },
    onResponseError(_, error) {
      settle();
      if (!answered) target.onAnswer({});
      request.resume();
      if (clientGone) return;
      if (response.headersSent) response.destroy();
      else respondInstead(response, isTimeout(error) ? 504 : 502);
    },
  };

  target.inFlight++;
  target.pool.dispatch(
    {
      path: request.url ?? "/",
      method: request.method ?? "GET",
      headers: requestHeaders(request, listenerPort),
      body: requestBody(request),
    },
    handler,
  );
}

/**
 * The client's body, if there is one. It goes through a stream of its own, because a failed request destroys its body,
 * and with it would go the client's connection, over which the 502 still has to travel.
 */
function requestBody(request: IncomingMessage): PassThrough | null {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  const body = new PassThrough();
  body.on("error", () => {});
  request.on("close", () => {
    if (!request.complete) body.destroy(new errors.RequestAbortedError());
  });
  return request.pipe(body);
}

function isTimeout(error: Error): boolean {
  return [errors.HeadersTimeoutError, errors.BodyTimeoutError, errors.ConnectTimeoutError].some(
    (kind) => error instanceof kind,
  );
}

const reasons: Readonly<Record<number, string>> = {
  405: "Method Not Allowed",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
};

/** An answer of the load balancer itself; AWS sends the same kind of page. */
export function respondInstead(response: ServerResponse, status: number): void {
  const title = `${status} ${reasons[status] ?? ""}`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  response.writeHead(status, reasons[status] ?? "", {
    server: "awselb/2.0",
    "content-type": "text/html",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
