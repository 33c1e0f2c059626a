import { LateView } from "./late-view.ts";
import { LoadBalancer } from "./load-balancer.ts";
import type { Log } from "./log.ts";
import type { Answer } from "./metrics.ts";
import type { Random } from "./random.ts";
import type { ListenerState, LoadBalancerState, TargetGroupState, TargetHealthReport } from "./state.ts";
import { TargetGroup } from "./target-groups.ts";

export interface BalancerNodeOptions {
  readonly idleMilliseconds: number;
  /** Choices among targets and groups. */
  readonly random: Random;
  /** The delay after which the node learns of a change of rules and their weights. */
  readonly rulesDelayMilliseconds: () => number;
  /** The delay after which it learns of a change of targets. */
  readonly targetsDelayMilliseconds: () => number;
  readonly onHealth: (report: TargetHealthReport) => void;
  readonly onAnswer: (targetGroupArn: string, answer: Answer) => void;
  readonly log: Log;
}

/**
 * One node of a load balancer: an address, and rules, targets and health checks of its own. AWS tells nobody when a node
 * has learned of a change; requests show it.
 */
export class BalancerNode {
  readonly address: string;
  readonly #options: BalancerNodeOptions;
  readonly #balancer: LoadBalancer;
  readonly #listeners: LateView<ListenerState>;
  readonly #targetGroups: LateView<TargetGroupState>;
  readonly #groups = new Map<string, TargetGroup>();
  #instances: ReadonlyMap<string, string> = new Map();

  constructor(address: string, options: BalancerNodeOptions) {
    this.address = address;
    this.#options = options;
    const { idleMilliseconds, random, log } = options;
    const group = (arn: string) => this.#groups.get(arn);
    this.#balancer = new LoadBalancer(address, { idleMilliseconds, random, group, log });
    const onChange = () => void this.#apply();
    this.#listeners = new LateView(options.rulesDelayMilliseconds, onChange);
    this.#targetGroups = new LateView(options.targetsDelayMilliseconds, onChange);
  }

  get listeners() {
    return this.#balancer.listeners;
  }

  get groups(): ReadonlyMap<string, TargetGroup> {
    return this.#groups;
  }

  /**
   * Tells the node of the cloud's state; it learns of it in its own time. Resolves when what it knows by now is served.
   * @param instances the private address of each instance
   */
  async update(
    { listeners }: LoadBalancerState,
    targetGroups: readonly TargetGroupState[],
    instances: ReadonlyMap<string, string>,
  ): Promise<void> {
    this.#instances = instances;
    this.#targetGroups.update(new Map(targetGroups.map((group) => [group.arn, group])));
    this.#listeners.update(new Map(listeners.map((listener) => [listener.arn, listener])));
    await this.#apply();
  }

  close(): void {
    this.#listeners.close();
    this.#targetGroups.close();
    this.#balancer.close();
    for (const group of this.#groups.values()) group.close();
    this.#groups.clear();
  }

  async #apply(): Promise<void> {
    const listeners = [...this.#listeners.known.values()];
    const inUse = groupsInUse(listeners);
    const known = this.#targetGroups.known;
    for (const [arn, state] of known) {
      const group = this.#groups.get(arn) ?? new TargetGroup(state, this.#options);
      this.#groups.set(arn, group);
      group.update(state, this.#instances, inUse.has(arn));
    }
    await this.#balancer.update(listeners);
    for (const [arn, group] of this.#groups) {
      if (known.has(arn)) continue;
      group.close();
      this.#groups.delete(arn);
    }
  }
}

/** Target groups that a rule names. */
export function groupsInUse(listeners: readonly ListenerState[]): Set<string> {
  const actions = listeners.flatMap(({ rules }) => rules.map(({ action }) => action));
  return new Set(
    actions.flatMap((action) => (action.type === "forward" ? action.targetGroups.map(({ arn }) => arn) : [])),
  );
}
