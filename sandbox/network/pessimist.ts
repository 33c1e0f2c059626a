import type { TargetHealthReport } from "./state.ts";

/** From the best to the worst. */
const states: readonly TargetHealthReport["state"][] = ["healthy", "initial", "unhealthy"];

/**
 * A target's health as AWS tells it: that of the node that thinks worst of it. A target is healthy only when every node
 * has found it so.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
export class Pessimist {
  readonly #nodes: (targetGroupArn: string) => number;
  readonly #report: (report: TargetHealthReport) => void;
  /** Reports by target and node. */
  readonly #seen = new Map<string, Map<string, TargetHealthReport>>();

  /** @param nodes the number of nodes that must agree on a target of the group */
  constructor(nodes: (targetGroupArn: string) => number, report: (report: TargetHealthReport) => void) {
    this.#nodes = nodes;
    this.#report = report;
  }

  hear(node: string, report: TargetHealthReport): void {
    const key = `${report.targetGroupArn} ${report.instanceId}:${report.port}`;
    const seen = this.#seen.get(key) ?? new Map<string, TargetHealthReport>();
    this.#seen.set(key, seen.set(node, report));
    const worst = [...seen.values()].reduce((a, b) => (states.indexOf(b.state) > states.indexOf(a.state) ? b : a));
    const { targetGroupArn, instanceId, port } = report;
    const unknown = { targetGroupArn, instanceId, port, state: "initial" } as const;
    this.#report(worst.state === "healthy" && seen.size < this.#nodes(targetGroupArn) ? unknown : worst);
  }

  /** Forgets targets that are registered no more, so that one that comes back begins anew. */
  forget(isRegistered: (targetGroupArn: string, instanceId: string) => boolean): void {
    for (const [key, seen] of this.#seen) {
      const [first] = seen.values();
      if (first !== undefined && !isRegistered(first.targetGroupArn, first.instanceId)) this.#seen.delete(key);
    }
  }
}
