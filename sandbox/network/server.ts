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

/** The HTTP server of one instance, on its private address; it lives as long as the instance runs. */
export class InstanceServer {
  readonly instanceId: string;
  readonly host: string;
  /** The port that the application listens on, or would; the input PORT, 8080 by default. */
  readonly port: number;
  readonly generation: string;
  readonly #server: Server;
  readonly #simulation: Simulation;
  readonly #onChange: () => void;
  readonly #log: Log;
  #crash: NodeJS.Timeout | undefined;

  constructor(instance: InstanceState, { database, onChange, onRequest, askOutside, log }: InstanceServerOptions) {
    const inputs = bootInputs(instance, log);
    this.instanceId = instance.id;
    this.host = instance.privateIp;
    this.port = portOf(inputs, instance.id, log);
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
    this.#server = createServer({ keepAliveTimeout: keepAliveMilliseconds, requestTimeout: 0 }, (request, response) => {
      onRequest(request);
      application(request, response);
    });
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Resolves when it listens, or has failed to; as on a real machine, a server that does not boot is only logged. */
  async start(): Promise<void> {
    const { bootFails, crashAfterSeconds } = this.#simulation;
    if (bootFails) return this.#log(`${this.instanceId}: simulates a boot that fails`);
    await new Promise<void>((resolve) => {
      this.#server.once("error", (error) => {
        this.#log(`${this.instanceId}: cannot listen on ${this.host}:${this.port}: ${messageOf(error)}`);
        resolve();
      });
      this.#server.listen({ host: this.host, port: this.port, backlog: 1024 }, resolve);
    });
    if (!this.listening || crashAfterSeconds === undefined) return;
    this.#crash = setTimeout(() => {
      this.#log(`${this.instanceId}: simulates a crash after ${crashAfterSeconds} s`);
      this.stop();
      this.#onChange();
    }, crashAfterSeconds * 1000);
  }

  /** Closes the socket and every connection at once, as when a machine goes. */
  stop(): void {
    clearTimeout(this.#crash);
    this.#server.close();
    this.#server.closeAllConnections();
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

function portOf(inputs: Inputs, instanceId: string, log: Log): number {
  const text = inputs.PORT ?? String(defaultPort);
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  log(`${instanceId}: PORT is "${text}", which is no port; using ${defaultPort}`);
  return defaultPort;
}
