import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingHttpHeaders, request, type Server } from "node:http";
import { createServer, type Server as TcpServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { Network, type NetworkOptions } from "../../../sandbox/network/network.ts";
import type {
  CloudState,
  ElasticIpState,
  ForwardAction,
  InstanceState,
  LoadBalancerState,
  RuleState,
  TargetGroupState,
  TargetHealthReport,
} from "../../../sandbox/network/state.ts";
import { freeSlot, type Slot } from "../../../sandbox/slot.ts";

export const sitePort = 8080;
export const balancerPort = 8000;

/** Claims the first free slot as a sandbox does, by listening where the slot's cloud listens. */
export async function claimSlot(): Promise<{ slot: Slot; release: () => void }> {
  for (;;) {
    const slot = await freeSlot();
    const holder = await listenOn(slot.cloud.host, slot.cloud.port);
    if (holder !== undefined) return { slot, release: () => holder.close() };
  }
}

function listenOn(host: string, port: number): Promise<TcpServer | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

/** A network of its own, which a test gives one snapshot after the other. */
export class World {
  readonly slot: Slot;
  readonly reports: TargetHealthReport[] = [];
  network: Network;
  readonly #release: () => void;
  #revision = 0;

  static async start(options: Partial<NetworkOptions> = {}): Promise<World> {
    const { slot, release } = await claimSlot();
    return new World(slot, release, options);
  }

  private constructor(slot: Slot, release: () => void, options: Partial<NetworkOptions>) {
    this.slot = slot;
    this.#release = release;
    this.network = this.#begin(options);
  }

  /** Another network in the place of this one, which has served nothing so far. */
  restart(options: Partial<NetworkOptions>): void {
    this.network.close();
    this.network = this.#begin(options);
  }

  #begin(options: Partial<NetworkOptions>): Network {
    return new Network({
      propagationMilliseconds: 0,
      database: { ask: async () => {} },
      outside: this.slot.outside,
      onHealth: (report) => this.reports.push(report),
      log: () => {},
      ...options,
    });
  }

  stop(): void {
    this.network.close();
    this.#release();
  }

  apply(state: Partial<CloudState>): Promise<void> {
    const empty = { instances: [], subnets: [], addresses: [], loadBalancers: [], targetGroups: [] };
    return this.network.apply({ ...empty, ...state, revision: ++this.#revision });
  }

  /** `i-1`, `i-2`, …; the number is also the last part of its address. */
  instance(
    number: number,
    inputs: Record<string, string> = {},
    state: InstanceState["state"] = "running",
  ): InstanceState {
    return {
      id: `i-${number}`,
      state,
      privateIp: this.ip(number),
      publicIp: null,
      subnetId: "",
      userData: userData({ PORT: String(sitePort), ...inputs }),
    };
  }

  ip(number: number): string {
    return this.slot.cidrBlock.replace(/\d+\/20$/, String(10 + number));
  }

  publicIp(number: number): string {
    return this.slot.addressPool.replace(/\.0\.0\/16$/, `.7.${number}`);
  }

  address(number: number, instanceId: string | null): ElasticIpState {
    return { allocationId: `eipalloc-${number}`, publicIp: this.publicIp(number), instanceId };
  }

  get balancerHost(): string {
    return this.slot.loadBalancerPool.replace(/\.0\.0\/16$/, ".7.1");
  }

  balancer(...rules: RuleState[]): LoadBalancerState {
    return { arn: "lb", addresses: [this.balancerHost], listeners: [{ arn: "listener", port: balancerPort, rules }] };
  }

  async healthOf(instanceId: string, state: TargetHealthReport["state"], targetGroupArn?: string): Promise<void> {
    await until(() => {
      const last = this.reports.findLast(
        (report) =>
          report.instanceId === instanceId && (targetGroupArn ?? report.targetGroupArn) === report.targetGroupArn,
      );
      return last?.state === state;
    }, `${instanceId} is reported ${state}`);
  }

  get(path = "/", headers: Record<string, string> = {}): Promise<Answer> {
    return get(this.balancerHost, balancerPort, path, headers);
  }
}

export function userData(inputs: Record<string, string>): string {
  const content = Object.entries(inputs).map(([name, value]) => `${name}=${value}\n`);
  const file = { path: "/etc/handover/inputs.env", permissions: "0600", content: content.join("") };
  const config = `#cloud-config\n${stringify({ write_files: [file] })}`;
  return `#cloud-config-archive\n${stringify([{ type: "text/cloud-config", content: config }])}`;
}

/** Checks every 30 ms, and changes its mind after two. */
export function group(arn: string, instanceIds: string[], more: Partial<TargetGroupState> = {}): TargetGroupState {
  return {
    arn,
    port: sitePort,
    healthCheck: healthCheck(),
    deregistrationDelaySeconds: 30,
    stickinessSeconds: 0,
    algorithm: "round_robin",
    targets: instanceIds.map((instanceId) => ({ instanceId, port: sitePort, draining: false })),
    ...more,
  };
}

export function healthCheck(more: Partial<TargetGroupState["healthCheck"]> = {}): TargetGroupState["healthCheck"] {
  return {
    enabled: true,
    path: "/health",
    port: "traffic-port",
    intervalSeconds: 0.03,
    timeoutSeconds: 2,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
    matcher: "200",
    ...more,
  };
}

export function draining(state: TargetGroupState, instanceId: string): TargetGroupState {
  const targets = state.targets.map((target) => ({
    ...target,
    draining: target.draining || target.instanceId === instanceId,
  }));
  return { ...state, targets };
}

export function forward(weights: Record<string, number>, more: Partial<RuleState & ForwardAction> = {}): RuleState {
  const targetGroups = Object.entries(weights).map(([arn, weight]) => ({ arn, weight }));
  const { stickinessSeconds = 0, hosts = [], paths = [] } = more;
  return { arn: "rule", hosts, paths, action: { type: "forward", targetGroups, stickinessSeconds } };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly server: string | undefined;
  readonly generation: string | undefined;
}

/** One request over a connection of its own. */
export function get(host: string, port: number, path = "/", headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const attempt = request({ host, port, path, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of response) chunks.push(chunk as Buffer);
      } catch (error) {
        return reject(error);
      }
      const { "x-server": server, "x-generation": generation } = response.headers;
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
        server: server?.toString(),
        generation: generation?.toString(),
      });
    });
    attempt.once("error", reject);
    attempt.end();
  });
}

export async function until(condition: () => boolean | Promise<boolean>, what: string, seconds = 15): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `after ${seconds} s it is still not so that ${what}`);
    await sleep(5);
  }
}

export async function refuses(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED" || error.code === "ECONNRESET",
  );
}

export function inFlight(world: World): number {
  const status = world.network.status() as {
    nodes: { targetGroups: { targets: { inFlight: number }[] }[] }[];
  };
  return status.nodes
    .flatMap(({ targetGroups }) => targetGroups)
    .flatMap(({ targets }) => targets)
    .reduce((sum, target) => sum + target.inFlight, 0);
}

export async function listen(server: Server | TcpServer, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, "listening");
}

export async function close(server: Server | TcpServer): Promise<void> {
  const closed = once(server, "close");
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
  await closed;
}
