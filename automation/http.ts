import { Agent, request } from "undici";

export interface Question {
  readonly protocol: "http" | "https";
  /** Where to connect to. */
  readonly address: string;
  readonly port: number;
  /** The Host header, and the name that a certificate must be for. */
  readonly host: string;
  readonly path: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first `bodyLimit` bytes. */
  readonly body: string;
}

/** A gate never reads more of an answer than this, in bytes. */
const bodyLimit = 64 * 1024;
const timeLimitMilliseconds = 5_000;

/**
 * Asks once, on a connection of its own. Redirects are answers, they are not followed. Connecting, waiting and reading
 * are limited to 5 s together, the body to 64 KB.
 */
export async function ask({ protocol, address, port, host, path }: Question, signal: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(timeLimitMilliseconds);
  const dispatcher = new Agent({ connect: { servername: host, timeout: timeLimitMilliseconds / 2 }, pipelining: 0 });
  try {
    const url = `${protocol}://${address}:${port}${path}`;
    const both = AbortSignal.any([signal, limit]);
    const { statusCode, headers, body } = await request(url, { dispatcher, headers: { host }, signal: both });
    let text = "";
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > bodyLimit) break;
    }
    return { status: statusCode, headers, body: text.slice(0, bodyLimit) };
  } catch (error) {
    if (limit.aborted) throw new Error(`no answer within ${timeLimitMilliseconds / 1000} s`, { cause: error });
    throw error;
  } finally {
    await dispatcher.destroy();
  }
}
