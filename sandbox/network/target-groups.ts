import { Pool } from "undici";
import { HealthCheck } from "./health-checks.ts";
import type { Answer } from "./metrics.ts";
import type { Random } from "./random.ts";
import type { TargetGroupState, TargetHealthReport } from "./state.ts";
import { eligibleTargets, type Health, healthy, isNews, newlyRegistered, nextHealth } from "./targets.ts";

export interface TargetGroupOptions {
  /**
   * Time that a connection to a target may be idle, and that a target may keep a request waiting, in milliseconds.
   * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html (60 s)
   */
  readonly idleMilliseconds: number;
  readonly random: Random;
  readonly onHealth: (report: TargetHealthReport) => void;
  readonly onAnswer: (targetGroupArn: string, answer: Answer) => void;
}

/** A target that is registered in a group, or draining from it, with the connections to it. */
export class Target {
  /** `i-…:8080`. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly pool: Pool;
  /** Called once for each request to it. */
  readonly onAnswer: (answer: Answer) => void;
  inFlight = 0;
  draining = false;
  health: Health = newlyRegistered;
  check: HealthCheck | undefined;
  readonly #dropListeners = new Set<() => void>();

  constructor(
    instanceId: string,
    host: string,
    port: number,
    { idleMilliseconds, onAnswer }: { readonly idleMilliseconds: number; readonly onAnswer: (answer: Answer) => void },
  ) {
    this.key = targetKey(instanceId, port);
    this.host = host;
    this.port = port;
    this.onAnswer = onAnswer;
    this.pool = new Pool(`http://${host}:${port}`, {
      connections: null,
      pipelining: 1,
      keepAliveTimeout: idleMilliseconds,
      keepAliveMaxTimeout: idleMilliseconds,
      headersTimeout: idleMilliseconds,
      bodyTimeout: idleMilliseconds,
      connect: { timeout: Math.min(10_000, idleMilliseconds) },
    });
  }

  /** For connections outside the pool. @returns a function that forgets the listener. */
  onDrop(listener: () => void): () => void {
    this.#dropListeners.add(listener);
    return () => this.#dropListeners.delete(listener);
  }

  /** Cuts what is still in flight. */
  drop(): void {
    this.check?.stop();
    void this.pool.destroy(new Error("the target is no longer registered"));
    for (const listener of this.#dropListeners) listener();
  }
}

function targetKey(instanceId: string, port: number): string {
  return `${instanceId}:${port}`;
}

/** The targets of one group: their health, and which of them gets the next request. */
export class TargetGroup {
  readonly #options: TargetGroupOptions;
  readonly #targets = new Map<string, Target>();
  #state: TargetGroupState;
  #settings = "";
  #next = 0;

  constructor(state: TargetGroupState, options: TargetGroupOptions) {
    this.#state = state;
    this.#options = options;
  }

  get targets(): readonly Target[] {
    return [...this.#targets.values()];
  }

  get stickinessSeconds(): number {
    return this.#state.stickinessSeconds;
  }

  /**
   * @param addresses the private address of each instance.
   * @param inUse whether a listener's rule names the group; only then are its targets checked.
   */
  update(state: TargetGroupState, addresses: ReadonlyMap<string, string>, inUse: boolean): void {
    this.#state = state;
    const settings = JSON.stringify(state.healthCheck);
    const restart = settings !== this.#settings;
    this.#settings = settings;
    const registered = new Set<string>();
    for (const { instanceId, port, draining } of state.targets) {
      const key = targetKey(instanceId, port);
      registered.add(key);
      let target = this.#targets.get(key);
      if (target === undefined) {
        const host = addresses.get(instanceId);
        if (host === undefined) continue;
        target = new Target(instanceId, host, port, {
          idleMilliseconds: this.#options.idleMilliseconds,
          onAnswer: (answer) => this.#options.onAnswer(state.arn, answer),
        });
        this.#targets.set(key, target);
      }
      target.draining = draining;
      this.#watch(target, instanceId, inUse && !draining, restart);
    }
    for (const [key, target] of this.#targets) {
      if (registered.has(key)) continue;
      this.#targets.delete(key);
      target.drop();
    }
  }

  /** The target of one request; undefined when no target may get one. @param stuckTo the key in the client's cookie. */
  choose(stuckTo: string | undefined): Target | undefined {
    const candidates = eligibleTargets(this.targets);
    const bound = this.#state.stickinessSeconds > 0 ? candidates.find((target) => target.key === stuckTo) : undefined;
    if (bound !== undefined) return bound;
    switch (this.#state.algorithm) {
      case "round_robin":
        return candidates[this.#next++ % candidates.length];
      case "weighted_random":
        return candidates[Math.floor(this.#options.random() * candidates.length)];
      case "least_outstanding_requests": {
        const fewest = Math.min(...candidates.map((target) => target.inFlight));
        const idlest = candidates.filter((target) => target.inFlight === fewest);
        return idlest[this.#next++ % idlest.length];
      }
    }
  }

  close(): void {
    for (const target of this.#targets.values()) target.drop();
    this.#targets.clear();
  }

  /**
   * A target that comes back, from draining or from being unused, starts over as `initial`. Each snapshot is answered with
   * the health of every target, because the cloud forgets it when a target is registered again, which may happen between
   * two snapshots.
   */
  #watch(target: Target, instanceId: string, wanted: boolean, restart: boolean): void {
    if (!wanted || restart) {
      target.check?.stop();
      target.check = undefined;
    }
    if (!wanted) {
      target.health = newlyRegistered;
      this.#report(target, instanceId);
      return;
    }
    const { healthCheck } = this.#state;
    if (!healthCheck.enabled) target.health = healthy;
    else target.check ??= this.#check(target, instanceId);
    this.#report(target, instanceId);
  }

  #check(target: Target, instanceId: string): HealthCheck {
    const { healthCheck } = this.#state;
    return new HealthCheck(target.host, target.port, healthCheck, (outcome) => {
      const before = target.health;
      target.health = nextHealth(before, outcome, healthCheck);
      if (isNews(before, target.health)) this.#report(target, instanceId);
    });
  }

  #report({ port, health }: Target, instanceId: string): void {
    const { state, reason, description } = health;
    this.#options.onHealth({ targetGroupArn: this.#state.arn, instanceId, port, state, reason, description });
  }
}
