import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** Requests of the public that a server began to serve while it had no way out. */
export interface ServedWithoutWayOut {
  readonly instanceId: string;
  readonly generation: string;
  /** The host that they were for. */
  readonly host: string;
  readonly requests: number;
  /** When the first and the last of them came, in milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
}

type Served = Pick<ServedWithoutWayOut, "instanceId" | "generation" | "host">;

/** Keeps the moment of each request that a server began to serve without a way out. */
export class WithoutWayOut {
  readonly #moments = new Map<string, { readonly served: Served; readonly at: number[] }>();

  add(served: Served): void {
    const key = `${served.instanceId} ${served.host}`;
    const known = this.#moments.get(key) ?? { served, at: [] };
    this.#moments.set(key, known);
    known.at.push(Date.now());
  }

  /** @param since milliseconds since the epoch; earlier ones are left out. Default: all. */
  list(since = 0): ServedWithoutWayOut[] {
    return [...this.#moments.values()].flatMap(({ served, at }) => {
      const later = at.filter((moment) => moment >= since);
      const [first] = later;
      const last = later.at(-1);
      return first === undefined || last === undefined ? [] : [{ ...served, requests: later.length, first, last }];
    });
  }
}

/** Connections to servers that came through an Elastic IP, by their own end. */
export class ThroughAddresses {
  readonly #addresses = new Map<string, string>();

  /** @param socket the address's connection to a server */
  follow(socket: Socket, publicIp: string): void {
    socket.once("ready", () => {
      const end = `${socket.localAddress} ${socket.localPort}`;
      this.#addresses.set(end, publicIp);
      socket.once("close", () => this.#addresses.delete(end));
    });
  }

  /** The Elastic IP through which a request came to a server. */
  of({ socket }: IncomingMessage): string | undefined {
    return this.#addresses.get(`${socket.remoteAddress} ${socket.remotePort}`);
  }
}

/** Whether a node of a load balancer passed it on. Health checks come from a node by itself, and gates to a server directly. */
export function isThroughBalancer({ headers }: IncomingMessage): boolean {
  return headers["x-forwarded-for"] !== undefined;
}

/** The host that a request is for, as a rule compares it. */
export function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
}
