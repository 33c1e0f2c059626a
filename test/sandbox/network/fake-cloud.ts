import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { CloudState, TargetHealthReport } from "../../../sandbox/network/state.ts";

/** The part of the cloud that the network talks to: snapshots by long poll, and the health reports it gets. */
export class FakeCloud {
  readonly reports: TargetHealthReport[][] = [];
  /** Health reports are refused with 500 while this is true. */
  refusesReports = false;
  readonly #host: string;
  readonly #port: number;
  #server: Server | undefined;
  #state: CloudState = {
    ...{ revision: 0, instances: [], subnets: [], addresses: [] },
    ...{ loadBalancers: [], targetGroups: [] },
  };
  #waiting: (() => void)[] = [];

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.listen(this.#port, this.#host);
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    this.#server = undefined;
  }

  /** Publishes a snapshot. @param revision by default one more than the last. */
  publish(state: Partial<CloudState>, revision = this.#state.revision + 1): void {
    this.#state = { ...this.#state, ...state, revision };
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    if (request.method === "POST" && url.pathname === "/sandbox/target-health") {
      const reports = JSON.parse(await text(request)) as TargetHealthReport[];
      if (!this.refusesReports) this.reports.push(reports);
      response.writeHead(this.refusesReports ? 500 : 204).end();
      return;
    }
    const after = Number(url.searchParams.get("after"));
    if (this.#state.revision <= after) {
      const seconds = Number(url.searchParams.get("waitSeconds"));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#waiting.push(wake);
        response.once("close", wake);
      });
    }
    if (this.#state.revision <= after) response.writeHead(204).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(this.#state));
  }
}
