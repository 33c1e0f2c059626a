import { request } from "undici";
import type { AddressMove } from "../network/elastic-ip.ts";
import { type Random, seededRandom } from "../network/random.ts";
import { Client, type Destination } from "./client.ts";
import type { TrafficReport } from "./report.ts";
import { Schedule, type Spacing } from "./schedule.ts";
import { Tally } from "./tally.ts";
import { type Mark, withoutWayOut } from "./without-way-out.ts";

/**
 * Targets of the load: half goes to the load balancer, to each of its entries alike, half to the Elastic IPs together; without
 * these, all to the former.
 */
export interface Targets {
  /** @property hostHeader the site's name. */
  readonly loadBalancer: { readonly host: string; readonly port: number; readonly hostHeader: string };
  /** The site's further entries. Default: none. */
  readonly entries?: readonly Targets["loadBalancer"][];
  readonly addresses: readonly { readonly publicIp: string; readonly port: number }[];
}

export interface LoadOptions extends Targets {
  /** The network's control API, which knows the moves of addresses: `http://127.64.0.2:4567`. */
  readonly networkUrl: string;
  /** Requests per second over all targets. Default: 200. */
  readonly requestsPerSecond?: number;
  /** Default: `/`. */
  readonly path?: string;
  /** The longest time in which the sample application answers, each request one of its own, in milliseconds. Default: 0. */
  readonly answerMilliseconds?: number;
  /** The same seed gives the same arrivals and the same choices. Default: 1. */
  readonly seed?: number;
  /** Default: `poisson`. */
  readonly spacing?: Spacing;
  /** Time limit of a request, after which it has failed. Default: 10. */
  readonly timeoutSeconds?: number;
  /** The most failures that are told one by one. Default: `mostFailureSamples`. */
  readonly failureSamples?: number;
  /** The phase until the first `mark`. Default: `start`. */
  readonly phase?: string;
}

const tickMilliseconds = 2;

/** Open-loop load, in this process. Half of the requests use pooled connections, half a connection of their own each. */
export class Load {
  readonly #options: LoadOptions;
  readonly #client: Client;
  readonly #random: Random;
  readonly #schedule: Schedule;
  readonly #tally = new Tally();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #started = performance.now();
  readonly #ticks: NodeJS.Timeout;
  readonly #marks: Mark[] = [];
  #targets: Targets;
  #phase = "";

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#targets = options;
    this.mark(options.phase ?? "start");
    this.#client = new Client((options.timeoutSeconds ?? 10) * 1000);
    this.#random = seededRandom(options.seed ?? 1);
    const spacing = options.spacing ?? "poisson";
    this.#schedule = new Schedule(options.requestsPerSecond ?? 200, spacing, this.#random, this.#started);
    this.#ticks = setInterval(() => this.#sendDue(), tickMilliseconds);
  }

  /** Requests that are sent from now on belong to this phase. */
  mark(phase: string): void {
    this.#phase = phase;
    this.#marks.push({ phase, at: Date.now() });
  }

  setTargets(targets: Targets): void {
    this.#targets = targets;
  }

  /** Stops sending, waits for requests in flight (at most the timeout), and counts. */
  async stop(): Promise<TrafficReport> {
    clearInterval(this.#ticks);
    const elapsedSeconds = (performance.now() - this.#started) / 1000;
    await Promise.all(this.#inFlight);
    this.#client.close();
    const { networkUrl, failureSamples, loadBalancer } = this.#options;
    const report = this.#tally.report(await knownMoves(networkUrl), elapsedSeconds, failureSamples);
    const served = await withoutWayOut({ networkUrl, host: loadBalancer.hostHeader, marks: this.#marks });
    return { ...report, ...(served ?? { withoutWayOut: report.requests, servedWithoutWayOut: [] }) };
  }

  #sendDue(): void {
    for (const due of this.#schedule.due(performance.now())) {
      const sending = this.#send(due);
      this.#inFlight.add(sending);
      void sending.finally(() => this.#inFlight.delete(sending));
    }
  }

  async #send(due: number): Promise<void> {
    const { path = "/", answerMilliseconds = 0 } = this.#options;
    const { destination, publicIp } = this.#choose();
    const phase = this.#phase;
    const lateMilliseconds = performance.now() - due;
    const isPooled = this.#random() < 0.5;
    const asked = answerMilliseconds === 0 ? 0 : Math.round(this.#random() * answerMilliseconds);
    const result = await this.#client.get(destination, asked === 0 ? path : `${path}?sleep=${asked}`, isPooled);
    this.#tally.add({
      result,
      target: `${destination.host}:${destination.port}`,
      publicIp,
      phase,
      latencyMilliseconds: performance.now() - due,
      askedMilliseconds: asked,
      lateMilliseconds,
    });
  }

  #choose(): { destination: Destination; publicIp: string | undefined } {
    const { loadBalancer, entries = [], addresses } = this.#targets;
    const address = this.#random() < 0.5 ? undefined : addresses[Math.floor(this.#random() * addresses.length)];
    if (address === undefined) {
      const entry = entries.length === 0 ? 0 : Math.floor(this.#random() * (entries.length + 1));
      return { destination: entries[entry - 1] ?? loadBalancer, publicIp: undefined };
    }
    const { publicIp, port } = address;
    return { destination: { host: publicIp, port, hostHeader: loadBalancer.hostHeader }, publicIp };
  }
}

/** Without the list of moves nothing can be excused: every lost request counts as failed. */
async function knownMoves(networkUrl: string): Promise<readonly AddressMove[]> {
  try {
    const answer = await request(new URL("/network/moves", networkUrl), { headersTimeout: 5_000 });
    return (await answer.body.json()) as AddressMove[];
  } catch (error) {
    console.error(`The network's moves are not known, so every lost request counts as failed: ${error}`);
    return [];
  }
}
