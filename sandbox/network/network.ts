import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { BalancerNode, groupsInUse } from "./balancer-node.ts";
import { type AddressMove, ElasticIp, type Endpoint } from "./elastic-ip.ts";
import type { Log } from "./log.ts";
import type { Answer } from "./metrics.ts";
import { askOutside, type Outside } from "./outside.ts";
import { Pessimist } from "./pessimist.ts";
import { hostOf, isThroughBalancer, ThroughAddresses, WithoutWayOut } from "./public-traffic.ts";
import { InstanceServer } from "./server.ts";
import type { SiteDatabase } from "./site-database.ts";
import type {
  CloudState,
  ConnectionsReport,
  InstanceState,
  LoadBalancerState,
  SubnetState,
  TargetHealthReport,
} from "./state.ts";
import { type WayOut, wayOut } from "./way-out.ts";

export interface NetworkOptions {
  /** The longest that a client takes to see a move of an Elastic IP, in milliseconds. */
  readonly propagationMilliseconds: number;
  readonly onHealth: (report: TargetHealthReport) => void;
  /** Called for each request that a node of the load balancer gave to a target. */
  readonly onAnswer?: (node: string, targetGroupArn: string, answer: Answer) => void;
  readonly log: Log;
  /** The database that `/health/db` asks. */
  readonly database: SiteDatabase;
  /** The service that `/health/outside` asks. */
  readonly outside: Outside;
  /** The load balancer's idle timeout in milliseconds. Default: 60,000, as on AWS. */
  readonly idleMilliseconds?: number;
  /** Which target group gets a request, by weight, and when a node or a client learns of a change. Default: `Math.random`. */
  readonly random?: () => number;
  /** The longest that a node of a load balancer takes to learn of a change, in milliseconds. Default: 0. */
  readonly balancerLagMilliseconds?: number;
  /** Changes that a node learns late. Default: both. */
  readonly balancerLate?: "rules" | "targets" | "both";
}

/** Everything that the sandbox's network serves, kept in step with the cloud's snapshots. */
export class Network {
  /** Every move of an address since the start. */
  readonly moves: AddressMove[] = [];
  /** Requests of the public that servers without a way out began to serve. */
  readonly withoutWayOut = new WithoutWayOut();
  readonly #options: Required<NetworkOptions>;
  readonly #servers = new Map<string, InstanceServer>();
  /** By load balancer and address. */
  readonly #nodes = new Map<string, BalancerNode>();
  readonly #pessimist: Pessimist;
  /** The number of nodes that route to a target group, once they know. */
  #nodesOf: ReadonlyMap<string, number> = new Map();
  readonly #addresses = new Map<string, ElasticIp>();
  readonly #throughAddresses = new ThroughAddresses();
  /** Those that run, as the cloud has them: it knows of a way out before anybody else does. */
  #running: ReadonlyMap<string, InstanceState> = new Map();
  #subnets: ReadonlyMap<string, SubnetState> = new Map();
  /** Ports on which instances hold new connections back, by instance. */
  #quiet: ReadonlyMap<string, readonly number[]> = new Map();
  #revision: number | undefined;

  constructor(options: NetworkOptions) {
    this.#options = {
      idleMilliseconds: 60_000,
      random: Math.random,
      onAnswer: () => {},
      balancerLagMilliseconds: 0,
      balancerLate: "both",
      ...options,
    };
    this.#pessimist = new Pessimist((arn) => this.#nodesOf.get(arn) ?? 0, options.onHealth);
  }

  /**
   * Makes the network what the snapshot says. What is new serves before anything is routed to it, and what is gone stops
   * serving after nothing is routed to it any more. Resolves when everything listens.
   */
  async apply(state: CloudState): Promise<void> {
    const running = new Map(state.instances.filter(({ state }) => state === "running").map((it) => [it.id, it]));
    this.#running = running;
    this.#subnets = new Map(state.subnets.map((subnet) => [subnet.id, subnet]));
    this.#quiet = new Map([...running].map(([id, { quietPorts = [] }]) => [id, quietPorts]));
    await this.#startServers(running);
    await this.#updateNodes(state);
    await this.#updateAddresses(state);
    this.#stopServers(running);
    await this.#refreshAddresses();
    this.#revision = state.revision;
  }

  close(): void {
    for (const part of [this.#addresses, this.#nodes]) {
      for (const served of part.values()) served.close();
    }
    for (const server of this.#servers.values()) server.stop();
  }

  /** Ends a server's process; its instance still runs. @returns whether there was one */
  crash(instanceId: string): boolean {
    const server = this.#servers.get(instanceId);
    if (server?.listening !== true) return false;
    server.stop();
    void this.#refreshAddresses();
    return true;
  }

  /** What is established through the addresses of each instance that holds new connections back. */
  quietConnections(): ConnectionsReport[] {
    const quiet = [...this.#quiet].filter(([, ports]) => ports.length > 0);
    return quiet.map(([instanceId]) => {
      const connections = [...this.#addresses.values()].flatMap((address) => address.connectionsTo(instanceId));
      const busy = connections.filter((each) => each.busy).map(({ id, requests }) => `${id}/${requests}`);
      return { instanceId, established: connections.length, busy };
    });
  }

  /** Everything that is served now, as `GET /network/status` answers it. */
  status(): object {
    return {
      revision: this.#revision ?? null,
      instances: [...this.#servers.values()].map(({ instanceId, host, port, generation, listening }) => ({
        id: instanceId,
        address: `${host}:${port}`,
        generation,
        listening,
        wayOut: this.#wayOutOf(instanceId) ?? null,
      })),
      nodes: [...this.#nodes.values()].map(({ address, listeners, groups }) => ({
        address,
        listeners: listeners.map(({ port, listening }) => ({ port, listening })),
        targetGroups: [...groups].map(([arn, { targets }]) => ({
          arn,
          targets: targets.map(({ key, draining, health, inFlight }) => ({
            target: key,
            state: draining ? "draining" : health.state,
            inFlight,
          })),
        })),
      })),
      addresses: [...this.#addresses.values()].map(({ publicIp, holder, endpoint, connections, waiting }) => ({
        publicIp,
        holder,
        connections,
        waiting,
        forwardsTo: endpoint === undefined ? null : `${endpoint.host}:${endpoint.port}`,
      })),
    };
  }

  async #startServers(running: ReadonlyMap<string, InstanceState>): Promise<void> {
    const started = [...running.values()].filter(({ id }) => !this.#servers.has(id));
    await Promise.all(
      started.map((instance) => {
        const { database, outside, log } = this.#options;
        const server = new InstanceServer(instance, {
          ...{ database, log },
          onChange: () => void this.#refreshAddresses(),
          onRequest: (request) => this.#judge(request, server),
          askOutside: () => askOutside(outside, this.#wayOutOf(instance.id)),
        });
        this.#servers.set(instance.id, server);
        return server.start();
      }),
    );
  }

  #stopServers(running: ReadonlyMap<string, InstanceState>): void {
    for (const [id, server] of this.#servers) {
      if (running.has(id)) continue;
      server.stop();
      this.#servers.delete(id);
    }
  }

  async #updateNodes({ instances, loadBalancers, targetGroups }: CloudState): Promise<void> {
    const { idleMilliseconds, random, onAnswer, balancerLagMilliseconds, balancerLate, log } = this.#options;
    const delayOf = (changes: "rules" | "targets") => () =>
      balancerLate === changes || balancerLate === "both" ? random() * balancerLagMilliseconds : 0;
    const addressed = instances.filter(({ privateIp }) => privateIp !== "");
    const privateIps = new Map(addressed.map(({ id, privateIp }) => [id, privateIp]));
    const registered = new Set(
      targetGroups.flatMap(({ arn, targets }) => targets.map(({ instanceId }) => `${arn} ${instanceId}`)),
    );
    this.#pessimist.forget((arn, instanceId) => registered.has(`${arn} ${instanceId}`));
    this.#nodesOf = nodesByGroup(loadBalancers);
    const wanted = loadBalancers.flatMap((state) => state.addresses.map((address) => ({ state, address })));
    closeUnwanted(this.#nodes, new Set(wanted.map(({ state, address }) => `${state.arn} ${address}`)));
    const nodes = wanted.map(({ state, address }) => {
      const key = `${state.arn} ${address}`;
      const onHealth = (report: TargetHealthReport) => this.#pessimist.hear(key, report);
      const delays = { rulesDelayMilliseconds: delayOf("rules"), targetsDelayMilliseconds: delayOf("targets") };
      const onNode = (targetGroupArn: string, answer: Answer) => onAnswer(address, targetGroupArn, answer);
      const options = { idleMilliseconds, random, ...delays, onHealth, onAnswer: onNode, log };
      const node = this.#nodes.get(key) ?? new BalancerNode(address, options);
      this.#nodes.set(key, node);
      return { node, state };
    });
    await Promise.all(nodes.map(({ node, state }) => node.update(state, targetGroups, privateIps)));
  }

  async #updateAddresses({ addresses }: CloudState): Promise<void> {
    const { propagationMilliseconds, random, log } = this.#options;
    const endpointOf = (instanceId: string) => this.#endpointOf(instanceId);
    const isQuiet = (instanceId: string, port: number) => this.#quiet.get(instanceId)?.includes(port) === true;
    const onMove = (move: AddressMove) => {
      this.moves.push(move);
      log(`${move.publicIp} moved from ${move.from} to ${move.to}: ${move.resets.length} connections reset`);
    };
    closeUnwanted(this.#addresses, new Set(addresses.map(({ allocationId }) => allocationId)));
    const first = this.#revision === undefined;
    await Promise.all(
      addresses.map(({ allocationId, publicIp, instanceId }) => {
        const onConnection = (server: Socket) => this.#throughAddresses.follow(server, publicIp);
        const known =
          this.#addresses.get(allocationId) ??
          new ElasticIp(publicIp, {
            ...{ propagationMilliseconds, random, endpointOf, isQuiet, onMove, onConnection, log },
          });
        this.#addresses.set(allocationId, known);
        return known.assign(instanceId, first);
      }),
    );
  }

  /**
   * Notes a request of the public that a server begins to serve without a way out. Whoever reaches it through an Elastic IP
   * has not seen the address move on, and what the server sends there goes out by it, too.
   */
  #judge(request: IncomingMessage, { instanceId, generation }: InstanceServer): void {
    const address = this.#throughAddresses.of(request);
    if (address === undefined && !isThroughBalancer(request)) return;
    if (!this.#running.has(instanceId) || this.#wayOutOf(instanceId, address) !== undefined) return;
    this.withoutWayOut.add({ instanceId, generation, host: hostOf(request) });
  }

  /** @param publicIp the address by which it is seen. Default: the one that the cloud has for it. */
  #wayOutOf(instanceId: string, publicIp?: string): WayOut | undefined {
    const instance = this.#running.get(instanceId);
    if (instance === undefined) return undefined;
    return wayOut({ publicIp: publicIp ?? instance.publicIp }, this.#subnets.get(instance.subnetId));
  }

  #endpointOf(instanceId: string): Endpoint | undefined {
    const server = this.#servers.get(instanceId);
    return server?.listening ? { host: server.host, port: server.port } : undefined;
  }

  async #refreshAddresses(): Promise<void> {
    await Promise.all([...this.#addresses.values()].map((address) => address.refresh()));
  }
}

function nodesByGroup(loadBalancers: readonly LoadBalancerState[]): Map<string, number> {
  const nodes = new Map<string, number>();
  for (const { addresses, listeners } of loadBalancers)
    for (const arn of groupsInUse(listeners)) nodes.set(arn, (nodes.get(arn) ?? 0) + addresses.length);
  return nodes;
}

function closeUnwanted(served: Map<string, { close(): void }>, wanted: ReadonlySet<string>): void {
  for (const [key, part] of served) {
    if (wanted.has(key)) continue;
    part.close();
    served.delete(key);
  }
}
