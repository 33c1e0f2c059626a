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
  /** From when on clients may see it, in milliseconds since the epoch. */
  readonly at: number;
  /** The instant of each reset of an established connection. */
  readonly resets: readonly number[];
}

export interface ElasticIpOptions {
  /** The longest that a client takes to see a move, in milliseconds. */
  readonly propagationMilliseconds: number;
  /** Each client's own moment. */
  readonly random: () => number;
  /** Where an instance listens; undefined when it does not. */
  readonly endpointOf: (instanceId: string) => Endpoint | undefined;
  /** Whether an instance holds new connections to a port back. */
  readonly isQuiet: (instanceId: string, port: number) => boolean;
  readonly onMove: (move: AddressMove) => void;
  /** Called with each connection from the address to an instance, before it is established. */
  readonly onConnection: (server: Socket) => void;
  readonly log: Log;
}

/** An established connection. */
interface Connection {
  readonly id: string;
  /** How late its client sees a move, in milliseconds. */
  readonly delay: number;
  readonly instanceId: string;
  /** Number of times that the client sent something after it had been answered, or first. */
  requests: number;
  /** Whether the last that was sent came from the client. */
  busy: boolean;
}

/**
 * When a client sends its SYN again, in milliseconds since the first, and when it gives up.
 * https://www.rfc-editor.org/rfc/rfc6298 (1 s at first, doubled each time), https://docs.kernel.org/networking/ip-sysctl.html
 * (tcp_syn_retries)
 */
const retransmissions = [1_000, 3_000, 7_000, 15_000, 31_000, 63_000];
const givenUpMilliseconds = 127_000;

/** A holder, since when the control plane has it, and the move by which it became that. */
interface Holder {
  readonly instanceId: string | null;
  readonly since: number;
  readonly move?: AddressMove & { readonly resets: number[] };
}

/**
 * An Elastic IP: a listener on the public address that passes bytes to the instance that holds it.
 *
 * On AWS a public address is 1:1 NAT. After a move has propagated, packets of established connections reach a server
 * that does not know them and answers with a reset, and new connections reach the new holder. Not everybody sees that at
 * the same moment: each connection has a delay of its own. Before it is over it is one with the old holder; then it is
 * reset, if it was established, or goes to the new one. Where nobody listens, a connection is refused.
 *
 * Where the holder drops what begins a connection, the client sends that again, and whoever holds the address for it by
 * then gets it. That is modelled: the kernel has accepted the client's connection here, and nothing of it goes on before.
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-igw-internet-access.html (one-to-one NAT)
 */
export class ElasticIp {
  readonly publicIp: string;
  readonly #options: ElasticIpOptions;
  readonly #connections = new Map<Socket, Connection>();
  /** Clients whose SYN was dropped. */
  readonly #waiting = new Set<Socket>();
  #lastConnection = 0;
  /** The newest last. Earlier ones are kept as long as a client may still see them. */
  #holders: Holder[] = [{ instanceId: null, since: 0 }];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #servers = new Map<number, Server>();

  constructor(publicIp: string, options: ElasticIpOptions) {
    this.publicIp = publicIp;
    this.#options = options;
  }

  /** The instance that the last client to see a move is given now. */
  get holder(): string | null {
    return this.#holders[this.#placeFor(this.#options.propagationMilliseconds)]?.instanceId ?? null;
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpointOf(this.holder);
  }

  /** Number of connections established through the address. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Number of clients whose SYN was dropped, and who will send it again. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Those that an instance answers. */
  connectionsTo(instanceId: string): Pick<Connection, "id" | "requests" | "busy">[] {
    return [...this.#connections.values()].filter((each) => each.instanceId === instanceId);
  }

  /** @param immediately for every client at once: what was so before this process started. */
  async assign(instanceId: string | null, immediately: boolean): Promise<void> {
    const from = this.#holders.at(-1)?.instanceId ?? null;
    if (instanceId === from) return;
    if (immediately) {
      this.#holders = [{ instanceId, since: 0 }];
    } else {
      this.#begin(from, instanceId);
    }
    await this.refresh();
  }

  /** Follows the holders' servers, which may have started or died. Resolves when the address listens where it should. */
  async refresh(): Promise<void> {
    const ports = new Set(this.#holders.flatMap(({ instanceId }) => this.#endpointOf(instanceId)?.port ?? []));
    for (const [port, server] of this.#servers) {
      if (ports.has(port)) continue;
      server.close();
      this.#servers.delete(port);
    }
    await Promise.all([...ports].filter((port) => !this.#servers.has(port)).map((port) => this.#listen(port)));
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    this.#holders = [{ instanceId: null, since: 0 }];
    for (const socket of [...this.#connections.keys(), ...this.#waiting]) socket.resetAndDestroy();
  }

  /** Each established connection sees the move at its own moment; after the last one's the old holder is forgotten. */
  #begin(from: string | null, to: string | null): void {
    const { propagationMilliseconds, onMove } = this.#options;
    const move = { publicIp: this.publicIp, from, to, at: Date.now(), resets: [] };
    const next: Holder = { instanceId: to, since: performance.now(), move };
    this.#holders.push(next);
    for (const socket of this.#connections.keys()) this.#resetBy(next, socket);
    this.#after(propagationMilliseconds, () => {
      this.#holders = this.#holders.slice(this.#holders.indexOf(next));
      onMove(move);
      void this.refresh();
    });
  }

  #resetBy({ since, move }: Holder, socket: Socket): void {
    const due = since + (this.#connections.get(socket)?.delay ?? 0);
    this.#after(Math.max(0, due - performance.now()), () => {
      if (!this.#connections.delete(socket)) return;
      move?.resets.push(Date.now());
      socket.resetAndDestroy();
    });
  }

  #after(milliseconds: number, act: () => void): void {
    // Node's timers count whole milliseconds, and may come a part of one too early.
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, Math.ceil(milliseconds) + 1);
    this.#timers.add(timer);
  }

  /** The place of the newest holder that a client with this delay has learned of. */
  #placeFor(delay: number): number {
    const seen = performance.now() - delay;
    return Math.max(
      0,
      this.#holders.findLastIndex(({ since }) => since <= seen),
    );
  }

  #endpointOf(holder: string | null): Endpoint | undefined {
    return holder === null ? undefined : this.#options.endpointOf(holder);
  }

  #listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client, port));
    this.#servers.set(port, server);
    return new Promise((resolve) => {
      server.once("error", (error) => {
        this.#options.log(`${this.publicIp} cannot listen on port ${port}: ${messageOf(error)}`);
        if (this.#servers.get(port) === server) this.#servers.delete(port);
        resolve();
      });
      server.listen({ host: this.publicIp, port, backlog: 1024 }, resolve);
    });
  }

  #accept(client: Socket, port: number): void {
    this.#arrive(client, port, this.#options.random() * this.#options.propagationMilliseconds);
  }

  /** @param tried how often its SYN was dropped @param begun when it was sent first */
  #arrive(client: Socket, port: number, delay: number, tried = 0, begun: number = performance.now()): void {
    this.#waiting.delete(client);
    if (client.destroyed) return;
    const place = this.#placeFor(delay);
    const instanceId = this.#holders[place]?.instanceId ?? null;
    if (instanceId !== null && this.#options.isQuiet(instanceId, port)) {
      this.#drop(client, port, delay, tried, begun);
      return;
    }
    const endpoint = this.#endpointOf(instanceId);
    if (instanceId === null || endpoint?.port !== port) {
      client.resetAndDestroy();
      return;
    }
    this.#pass(
      client,
      place,
      { id: `${this.publicIp}#${++this.#lastConnection}`, delay, instanceId, requests: 0, busy: false },
      endpoint,
    );
  }

  #drop(client: Socket, port: number, delay: number, tried: number, begun: number): void {
    client.on("error", () => client.destroy());
    this.#waiting.add(client);
    const again = retransmissions[tried];
    const act = () =>
      again === undefined ? client.resetAndDestroy() : this.#arrive(client, port, delay, tried + 1, begun);
    this.#after(Math.max(0, begun + (again ?? givenUpMilliseconds) - performance.now()), act);
  }

  #pass(client: Socket, place: number, connection: Connection, endpoint: Endpoint): void {
    this.#connections.set(client, connection);
    const next = this.#holders[place + 1];
    if (next !== undefined) this.#resetBy(next, client);
    const server = connect({ ...endpoint, allowHalfOpen: true, noDelay: true });
    this.#options.onConnection(server);
    client.on("error", () => server.destroy());
    server.on("error", () => client.resetAndDestroy());
    client.once("close", () => {
      this.#connections.delete(client);
      server.destroy();
    });
    server.once("close", () => client.destroySoon());
    client.on("data", () => {
      if (!connection.busy) connection.requests++;
      connection.busy = true;
    });
    server.on("data", () => {
      connection.busy = false;
    });
    client.pipe(server).pipe(client);
  }
}
