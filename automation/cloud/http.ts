import { lookup } from "node:dns/promises";
import { StringDecoder } from "node:string_decoder";
import { Agent, request } from "undici";

export interface Question {
  readonly protocol: "http" | "https";
  /** Where to connect to. */
  readonly address: string;
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

/** Asks once, on a connection of its own. Redirects are answers, they are not followed; the body is read up to 64 KB. */
export async function ask(question: Question, signal: AbortSignal): Promise<Answer> {
  const { protocol, address, port, host, path, method = "GET", timeoutSeconds = 5, tls } = question;
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  const connect = {
    servername: tls?.serverName ?? host,
    rejectUnauthorized: tls?.verify ?? true,
    timeout: (timeoutSeconds * 1000) / 2,
  };
  const dispatcher = new Agent({ connect, pipelining: 0 });
  try {
    const url = `${protocol}://${address.includes(":") ? `[${address}]` : address}:${port}${path}`;
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      method,
      headers: { ...question.headers, host },
      signal: AbortSignal.any([signal, limit]),
    });
    return { status: statusCode, headers, body: await beginningOf(body) };
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw new Error(`no answer within ${timeoutSeconds} s`, { cause: error });
    throw error;
  } finally {
    await dispatcher.destroy();
  }
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
