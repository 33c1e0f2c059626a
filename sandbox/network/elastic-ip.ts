import { connect, createServer, type Server, type Socket } from "node:net";
import { type Log, messageOf } from "./log.ts";

/** Where the traffic of an address goes. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One change of an address's holder, as clients saw it. */
export interface AddressMove {
  readonly publicIp: string;
  readonly from: string | null;
  readonly to: string | null;
  /** The instant of the switch, in milliseconds since the epoch. */
  readonly at: number;
  readonly resetConnections: number;
}

export interface ElasticIpOptions {
  readonly propagationMilliseconds: number;
  /** Where an instance listens; undefined when it does not. */
  readonly endpointOf: (instanceId: string) => Endpoint | undefined;
  readonly onMove: (move: AddressMove) => void;
  readonly log: Log;
}

/**
 * An Elastic IP: a listener on the public address that passes bytes to the instance that holds it.
 *
 * On AWS a public address is 1:1 NAT. After a move has propagated, packets of established connections reach a server
 * that does not know them and answers with a reset, and new connections reach the new holder. So here: until the
 * propagation time has passed nothing changes; then, in one instant, established connections are reset and new ones go
 * to the new holder. Where nobody listens, a connection is refused.
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-igw-internet-access.html (one-to-one NAT)
 */
export class ElasticIp {
  readonly publicIp: string;
  readonly #options: ElasticIpOptions;
  readonly #connections = new Set<Socket>();
  #holder: string | null = null;
  #next: string | null = null;
  #propagation: NodeJS.Timeout | undefined;
  #server: Server | undefined;
  #endpoint: Endpoint | undefined;

  constructor(publicIp: string, options: ElasticIpOptions) {
    this.publicIp = publicIp;
    this.#options = options;
  }

  /** The instance that answers now. */
  get holder(): string | null {
    return this.#holder;
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** Number of connections established through the address. */
  get connections(): number {
    return this.#connections.size;
  }

  /** @param immediately without the propagation time: what was so before this process started. */
  async assign(instanceId: string | null, immediately: boolean): Promise<void> {
    if (instanceId === this.#next) return;
    this.#next = instanceId;
    clearTimeout(this.#propagation);
    if (instanceId === this.#holder) return;
    if (immediately) {
      this.#holder = instanceId;
      await this.refresh();
    } else {
      this.#propagation = setTimeout(() => this.#switch(), this.#options.propagationMilliseconds);
    }
  }

  /** Follows the holder's server, which may have started or died. Resolves when the address listens, if it should. */
  async refresh(): Promise<void> {
    const endpoint = this.#holder === null ? undefined : this.#options.endpointOf(this.#holder);
    const samePort = endpoint?.port === this.#endpoint?.port;
    this.#endpoint = endpoint;
    if (samePort && (endpoint === undefined || this.#server !== undefined)) return;
    this.#server?.close();
    this.#server = undefined;
    if (endpoint !== undefined) await this.#listen(endpoint.port);
  }

  close(): void {
    clearTimeout(this.#propagation);
    this.#server?.close();
    this.#server = undefined;
    this.#endpoint = undefined;
    this.#reset();
  }

  #switch(): void {
    const from = this.#holder;
    this.#holder = this.#next;
    void this.refresh();
    const resetConnections = this.#reset();
    this.#options.onMove({ publicIp: this.publicIp, from, to: this.#holder, at: Date.now(), resetConnections });
  }

  #reset(): number {
    const count = this.#connections.size;
    for (const socket of this.#connections) socket.resetAndDestroy();
    return count;
  }

  #listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    return new Promise((resolve) => {
      server.once("error", (error) => {
        this.#options.log(`${this.publicIp} cannot listen on port ${port}: ${messageOf(error)}`);
        if (this.#server === server) this.#server = undefined;
        resolve();
      });
      server.listen({ host: this.publicIp, port, backlog: 1024 }, resolve);
    });
  }

  #accept(client: Socket): void {
    if (this.#endpoint === undefined) {
      client.resetAndDestroy();
      return;
    }
    this.#connections.add(client);
    const holder = connect({ ...this.#endpoint, allowHalfOpen: true, noDelay: true });
    client.on("error", () => holder.destroy());
    holder.on("error", () => client.resetAndDestroy());
    client.once("close", () => {
      this.#connections.delete(client);
      holder.destroy();
    });
    holder.once("close", () => client.destroySoon());
    client.pipe(holder).pipe(client);
  }
}
