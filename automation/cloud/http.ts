import { lookup } from "node:dns/promises";
import { StringDecoder } from "node:string_decoder";
import { Agent, type Dispatcher, ProxyAgent, request } from "undici";
import { messageOf } from "../errors.ts";
import { NotSeenError, notSeenIn } from "./not-seen.ts";
import { proxyFor } from "./proxy.ts";

export interface Question {
  readonly protocol: "http" | "https";
  /** Where to connect to. */
  readonly address: string;
  /** The name that has this address: NO_PROXY may name it. Default: none. */
  readonly name?: string | undefined;
  readonly port: number;
  /** The Host header, and the name that a certificate must be for. */
  readonly host: string;
  readonly path: string;
  /** Default: GET. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  /** Sent beside `host`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For connecting, waiting and reading together. Default: 5. */
  readonly timeoutSeconds?: number;
  /** Default: the certificate must be valid and for `host`. */
  readonly tls?: { readonly verify: boolean; readonly serverName?: string };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first 64 KB. */
  readonly body: string;
}

/** A gate never reads more of an answer than this, in bytes. */
const bodyLimit = 64 * 1024;

/** Every address that a name has now: a load balancer's nodes. An address is its own. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return [...new Set(found.map(({ address }) => address))].sort();
}

/**
 * Asks once, on a connection of its own. Redirects are answers, they are not followed; the body is read up to 64 KB.
 * @throws NotSeenError when it was not asked at all, and a proxy that is in between answered in its place
 */
export async function ask(question: Question, signal: AbortSignal): Promise<Answer> {
  const { protocol, address, port, host, path, method = "GET", timeoutSeconds = 5, tls } = question;
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  const connect = {
    servername: tls?.serverName ?? host,
    rejectUnauthorized: tls?.verify ?? true,
    timeout: (timeoutSeconds * 1000) / 2,
  };
  const names = [address, host, ...(question.name === undefined ? [] : [question.name])];
  const proxy = proxyFor({ protocol, names, port });
  const dispatcher = dispatcherTo(proxy, connect);
  try {
    const url = `${protocol}://${address.includes(":") ? `[${address}]` : address}:${port}${path}`;
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      method,
      headers: { ...question.headers, host },
      signal: AbortSignal.any([signal, limit]),
    });
    if (isOfProxy(statusCode, headers)) throw notAsked(`a proxy in between answered ${statusCode} in its place`);
    return { status: statusCode, headers, body: await beginningOf(body) };
  } catch (error) {
    if (!signal.aborted && proxy !== undefined && isOnTheWay(error))
      throw notAsked(`the proxy ${new URL(proxy).host} does not lead there: ${messageOf(error)}`, error);
    if (limit.aborted && !signal.aborted) throw new Error(`no answer within ${timeoutSeconds} s`, { cause: error });
    throw error;
  } finally {
    await dispatcher.destroy();
  }
}

type Connect = ProxyAgent.Options["requestTls"] & { readonly timeout: number };

/**
 * A proxy is told to connect to the address (CONNECT), plain HTTP too: one that passes requests on would ask whoever the
 * Host header names. https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function dispatcherTo(proxy: string | undefined, connect: Connect, more: Agent.Options = {}): Dispatcher {
  if (proxy === undefined) return new Agent({ ...more, connect, pipelining: 0 });
  const proxyTls = { timeout: connect.timeout };
  return new ProxyAgent({ ...more, uri: proxy, requestTls: connect, proxyTls, pipelining: 0 });
}

function notAsked(happened: string, cause?: unknown): NotSeenError {
  return new NotSeenError("unreachable", { happened }, { cause });
}

/** The proxy refused to connect, or could not be reached; a certificate that is not valid is an answer. */
function isOnTheWay(error: unknown): boolean {
  return notSeenIn(error) !== undefined || /^Proxy response/.test(messageOf(error));
}

/** No server answers 407, and Squid names itself: https://wiki.squid-cache.org/SquidFaq/SquidErrors */
function isOfProxy(status: number, headers: Answer["headers"]): boolean {
  return status === 407 || headers["x-squid-error"] !== undefined || /\berror=/.test(String(headers["proxy-status"]));
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const decoder = new StringDecoder("utf8");
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    text += decoder.write(chunk.subarray(0, bodyLimit - bytes));
    bytes += chunk.length;
    if (bytes >= bodyLimit) break;
  }
  return text;
}
