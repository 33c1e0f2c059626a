import { type AddressMove, ElasticIp, type Endpoint } from "./elastic-ip.ts";
import { LoadBalancer } from "./load-balancer.ts";
import type { Log } from "./log.ts";
import type { Answer } from "./metrics.ts";
import { InstanceServer } from "./server.ts";
import type { SiteDatabase } from "./site-database.ts";
import type { CloudState, InstanceState, LoadBalancerState, TargetHealthReport } from "./state.ts";
import { TargetGroup } from "./target-groups.ts";

export interface NetworkOptions {
  /** How long a move of an Elastic IP takes until clients see it, in milliseconds. */
  readonly propagationMilliseconds: number;
  readonly onHealth: (report: TargetHealthReport) => void;
  /** Called for each request that the load balancer gave to a target. */
  readonly onAnswer?: (targetGroupArn: string, answer: Answer) => void;
  readonly log: Log;
  /** What `/health/db` asks. */
  readonly database: SiteDatabase;
  /** The load balancer's idle timeout in milliseconds. Default: 60,000, as on AWS. */
  readonly idleMilliseconds?: number;
  /** Which target group gets a request, by weight. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Everything that the sandbox's network serves, kept in step with the cloud's snapshots. */
export class Network {
  /** Every move of an address since the start. */
  readonly moves: AddressMove[] = [];
  readonly #options: Required<NetworkOptions>;
  readonly #servers = new Map<string, InstanceServer>();
  readonly #groups = new Map<string, TargetGroup>();
  readonly #loadBalancers = new Map<string, LoadBalancer>();
  readonly #addresses = new Map<string, ElasticIp>();
  #revision: number | undefined;

  constructor(options: NetworkOptions) {
    this.#options = { idleMilliseconds: 60_000, random: Math.random, onAnswer: () => {}, ...options };
  }

  /**
   * Makes the network what the snapshot says. What is new serves before anything is routed to it, and what is gone stops
   * serving after nothing is routed to it any more. Resolves when everything listens.
   */
  async apply(state: CloudState): Promise<void> {
    const running = new Map(state.instances.filter(({ state }) => state === "running").map((it) => [it.id, it]));
    await this.#startServers(running);
    this.#updateGroups(state);
    await this.#updateLoadBalancers(state.loadBalancers);
    await this.#updateAddresses(state);
    this.#stopServers(running);
    await this.#refreshAddresses();
    this.#revision = state.revision;
  }

  close(): void {
    for (const part of [this.#addresses, this.#loadBalancers, this.#groups]) {
      for (const served of part.values()) served.close();
    }
    for (const server of this.#servers.values()) server.stop();
  }

  /** What is served now, as `GET /network/status` answers it. */
  status(): object {
    return {
      revision: this.#revision ?? null,
      instances: [...this.#servers.values()].map(({ instanceId, host, port, generation, listening }) => ({
        id: instanceId,
        address: `${host}:${port}`,
        generation,
        listening,
      })),
      loadBalancers: [...this.#loadBalancers].map(([arn, { listeners }]) => ({
        arn,
        listeners: listeners.map(({ address, port, listening }) => ({ address: `${address}:${port}`, listening })),
      })),
      targetGroups: [...this.#groups].map(([arn, { targets }]) => ({
        arn,
        targets: targets.map(({ key, draining, health, inFlight }) => ({
          target: key,
          state: draining ? "draining" : health.state,
          inFlight,
        })),
      })),
      addresses: [...this.#addresses.values()].map(({ publicIp, holder, endpoint, connections }) => ({
        publicIp,
        holder,
        connections,
        forwardsTo: endpoint === undefined ? null : `${endpoint.host}:${endpoint.port}`,
      })),
    };
  }

  async #startServers(running: ReadonlyMap<string, InstanceState>): Promise<void> {
    const started = [...running.values()].filter(({ id }) => !this.#servers.has(id));
    await Promise.all(
      started.map((instance) => {
        const { database, log } = this.#options;
        const server = new InstanceServer(instance, { database, log, onChange: () => void this.#refreshAddresses() });
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

  #updateGroups(state: CloudState): void {
    const { idleMilliseconds, random, onHealth, onAnswer } = this.#options;
    const addressed = state.instances.filter(({ privateIp }) => privateIp !== "");
    const addresses = new Map(addressed.map(({ id, privateIp }) => [id, privateIp]));
    const inUse = groupsInUse(state.loadBalancers);
    for (const group of state.targetGroups) {
      const known =
        this.#groups.get(group.arn) ?? new TargetGroup(group, { idleMilliseconds, random, onHealth, onAnswer });
      this.#groups.set(group.arn, known);
      known.update(group, addresses, inUse.has(group.arn));
    }
    const wanted = new Set(state.targetGroups.map(({ arn }) => arn));
    closeUnwanted(this.#groups, wanted);
  }

  async #updateLoadBalancers(states: readonly LoadBalancerState[]): Promise<void> {
    const { idleMilliseconds, random, log } = this.#options;
    const group = (arn: string) => this.#groups.get(arn);
    closeUnwanted(this.#loadBalancers, new Set(states.map(({ arn }) => arn)));
    await Promise.all(
      states.map((state) => {
        const known =
          this.#loadBalancers.get(state.arn) ??
          new LoadBalancer(state.address, { idleMilliseconds, random, group, log });
        this.#loadBalancers.set(state.arn, known);
        return known.update(state);
      }),
    );
  }

  async #updateAddresses({ addresses }: CloudState): Promise<void> {
    const { propagationMilliseconds, log } = this.#options;
    const endpointOf = (instanceId: string) => this.#endpointOf(instanceId);
    const onMove = (move: AddressMove) => {
      this.moves.push(move);
      log(`${move.publicIp} moved from ${move.from} to ${move.to}: ${move.resetConnections} connections reset`);
    };
    closeUnwanted(this.#addresses, new Set(addresses.map(({ allocationId }) => allocationId)));
    const first = this.#revision === undefined;
    await Promise.all(
      addresses.map(({ allocationId, publicIp, instanceId }) => {
        const known =
          this.#addresses.get(allocationId) ??
          new ElasticIp(publicIp, { propagationMilliseconds, endpointOf, onMove, log });
        this.#addresses.set(allocationId, known);
        return known.assign(instanceId, first);
      }),
    );
  }

  #endpointOf(instanceId: string): Endpoint | undefined {
    const server = this.#servers.get(instanceId);
    return server?.listening ? { host: server.host, port: server.port } : undefined;
  }

  async #refreshAddresses(): Promise<void> {
    await Promise.all([...this.#addresses.values()].map((address) => address.refresh()));
  }
}

function groupsInUse(loadBalancers: readonly LoadBalancerState[]): Set<string> {
  const actions = loadBalancers.flatMap(({ listeners }) =>
    listeners.flatMap(({ rules }) => rules.map(({ action }) => action)),
  );
  return new Set(
    actions.flatMap((action) => (action.type === "forward" ? action.targetGroups.map(({ arn }) => arn) : [])),
  );
}

function closeUnwanted(served: Map<string, { close(): void }>, wanted: ReadonlySet<string>): void {
  for (const [key, part] of served) {
    if (wanted.has(key)) continue;
    part.close();
    served.delete(key);
  }
}
