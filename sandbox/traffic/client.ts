import "../resolve.mjs";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";

/** The fate of one request. Times are milliseconds since the epoch. */
export interface Result {
  readonly sent: number;
  readonly ended: number;
  readonly retried: boolean;
  readonly status?: number;
  readonly generation?: string;
  readonly server?: string;
  /** Set when no complete answer came. */
  readonly error?: { readonly code: string; readonly connectionLost: boolean };
}

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly hostHeader?: string;
}

interface Attempt extends Omit<Result, "sent" | "retried"> {
  /** Reset on a connection that had served before, and before any byte of this answer. */
  readonly mayBeSentAgain: boolean;
}

const lossCodes = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);

/**
 * A well-behaved HTTP client: it keeps a pool of connections, and a GET on a reused connection that is reset before any
 * byte of its answer came is sent once more on a new one.
 * @see https://www.rfc-editor.org/rfc/rfc9112.html#name-handling-connection-failure
 */
export class Client {
  readonly #pool = new Agent({ keepAlive: true, scheduling: "lifo" });
  readonly #timeoutMilliseconds: number;

  /** @param timeoutMilliseconds from sending to the last byte of the answer, the second attempt included. */
  constructor(timeoutMilliseconds: number) {
    this.#timeoutMilliseconds = timeoutMilliseconds;
  }

  /** @param pooled over a kept connection if there is one; otherwise over a connection of its own. */
  async get(destination: Destination, path: string, pooled: boolean): Promise<Result> {
    const sent = Date.now();
    const first = await this.#attempt(destination, path, pooled, this.#timeoutMilliseconds);
    if (!first.mayBeSentAgain) return result(first, sent, false);
    const left = Math.max(sent + this.#timeoutMilliseconds - Date.now(), 1);
    return result(await this.#attempt(destination, path, false, left), sent, true);
  }

  close(): void {
    this.#pool.destroy();
  }

  #attempt(
    { host, port, hostHeader }: Destination,
    path: string,
    pooled: boolean,
    milliseconds: number,
  ): Promise<Attempt> {
    return new Promise((resolve) => {
      const headers = hostHeader === undefined ? {} : { host: hostHeader };
      const attempt = request({ host, port, path, headers, agent: pooled ? this.#pool : false });
      let bytesBefore = 0;
      let socket: Socket | undefined;
      attempt.once("socket", (assigned) => {
        socket = assigned;
        bytesBefore = assigned.bytesRead;
      });
      const finish = (outcome: Omit<Attempt, "ended" | "mayBeSentAgain">) => {
        clearTimeout(timer);
        const lost = outcome.error?.connectionLost === true;
        const unanswered = socket !== undefined && socket.bytesRead === bytesBefore;
        resolve({ ...outcome, ended: Date.now(), mayBeSentAgain: lost && attempt.reusedSocket && unanswered });
      };
      const timer = setTimeout(() => {
        finish({ error: { code: "timeout", connectionLost: false } });
        attempt.destroy();
      }, milliseconds);
      watch(attempt, finish);
      attempt.end();
    });
  }
}

function watch(attempt: ClientRequest, finish: (outcome: Omit<Attempt, "ended" | "mayBeSentAgain">) => void): void {
  attempt.on("response", (response) => {
    response.on("end", () => finish(answerOf(response)));
    response.on("error", (error) => finish({ ...answerOf(response), error: lossOf(error) }));
    response.resume();
  });
  attempt.on("error", (error) => finish({ error: lossOf(error) }));
}

function answerOf({ statusCode, headers }: IncomingMessage): Pick<Result, "status" | "generation" | "server"> {
  return {
    status: statusCode,
    generation: headers["x-generation"]?.toString(),
    server: headers["x-server"]?.toString(),
  };
}

function lossOf(error: NodeJS.ErrnoException): Result["error"] {
  const code = error.code ?? error.message;
  return { code, connectionLost: lossCodes.has(code) };
}

function result({ mayBeSentAgain: _, ...attempt }: Attempt, sent: number, retried: boolean): Result {
  return { ...attempt, sent, retried };
}
