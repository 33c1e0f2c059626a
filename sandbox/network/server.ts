import { createServer, type IncomingMessage, type Server } from "node:http";
import { createApplication } from "./application.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { type Log, messageOf } from "./log.ts";
import { parseSimulation, type Simulation } from "./simulation.ts";
import { deadDatabase, type SiteDatabase } from "./site-database.ts";
import type { InstanceState } from "./state.ts";

const defaultPort = 8080;

/**
 * Longer than the load balancer keeps an idle connection (60 s), so that the server is never the one that closes it.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
 */
const keepAliveMilliseconds = 75_000;

export interface InstanceServerOptions {
  readonly database: SiteDatabase;
  /** Called after the server has begun or ceased to listen by itself. */
  readonly onChange: () => void;
  /** Called for each request that the server begins to serve. */
  readonly onRequest: (request: IncomingMessage) => void;
  /** Calls the service outside from this server. */
  readonly askOutside: () => Promise<string>;
  readonly log: Log;
}

/** The HTTP servers of one instance, on its private address; they live as long as the instance runs. */
export class InstanceServer {
  readonly instanceId: string;
  readonly host: string;
  /** The port that the application listens on, or would; the input PORT, 8080 by default. */
  readonly port: number;
  readonly generation: string;
  /** One for each port: the application's own first, and then those of the input MORE_PORTS. */
  readonly #servers: readonly { readonly port: number; readonly server: Server }[];
  readonly #simulation: Simulation;
  readonly #onChange: () => void;
  readonly #log: Log;
  #crash: NodeJS.Timeout | undefined;

  constructor(instance: InstanceState, { database, onChange, onRequest, askOutside, log }: InstanceServerOptions) {
    const inputs = bootInputs(instance, log);
    this.instanceId = instance.id;
    this.host = instance.privateIp;
    const own = portOf(inputs.PORT ?? String(defaultPort));
    if (own === undefined) log(`${instance.id}: PORT is "${inputs.PORT}", which is no port; using ${defaultPort}`);
    this.port = own ?? defaultPort;
    this.generation = inputs.GENERATION ?? "unknown";
    this.#simulation = parseSimulation(inputs.SIMULATE ?? "");
    this.#onChange = onChange;
    this.#log = log;
    for (const unknown of this.#simulation.unknown) log(`${instance.id}: SIMULATE does not know "${unknown}"`);
    const application = createApplication({
      instanceId: instance.id,
      inputs,
      simulation: this.#simulation,
      database: this.#simulation.databaseDown ? deadDatabase : database,
      askOutside,
    });
    const more = (inputs.MORE_PORTS ?? "").split(/[\s,]+/).flatMap((text) => portOf(text) ?? []);
    this.#servers = [...new Set([this.port, ...more])].map((port) => {
      const server = createServer(
        { keepAliveTimeout: keepAliveMilliseconds, requestTimeout: 0 },
        (request, response) => {
          onRequest(request);
          application(request, response);
        },
      );
      return { port, server };
    });
  }

  /** Whether it listens on its own port. */
  get listening(): boolean {
    return this.#servers[0]?.server.listening === true;
  }

  /** Resolves when it listens, or has failed to; as on a real machine, a server that does not boot is only logged. */
  async start(): Promise<void> {
    const { bootFails, crashAfterSeconds } = this.#simulation;
    if (bootFails) return this.#log(`${this.instanceId}: simulates a boot that fails`);
    const each = this.#servers.map(
      ({ port, server }) =>
        new Promise<void>((resolve) => {
          server.once("error", (error) => {
            this.#log(`${this.instanceId}: cannot listen on ${this.host}:${port}: ${messageOf(error)}`);
            resolve();
          });
          server.listen({ host: this.host, port, backlog: 1024 }, resolve);
        }),
    );
    await Promise.all(each);
    if (!this.listening || crashAfterSeconds === undefined) return;
    this.#crash = setTimeout(() => {
      this.#log(`${this.instanceId}: simulates a crash after ${crashAfterSeconds} s`);
      this.stop();
      this.#onChange();
    }, crashAfterSeconds * 1000);
  }

  /** Closes the sockets and every connection at once, as when a machine goes. */
  stop(): void {
    clearTimeout(this.#crash);
    for (const { server } of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

function bootInputs(instance: InstanceState, log: Log): Inputs {
  try {
    return readInputs(instance.userData);
  } catch (error) {
    log(`${instance.id}: boots with default inputs: ${messageOf(error)}`);
    return {};
  }
}

function portOf(text: string): number | undefined {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
