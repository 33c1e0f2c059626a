import type { TargetGroupState } from "./state.ts";

/** The outcome of one health check. */
export type CheckOutcome =
  | { readonly passed: true }
  | { readonly passed: false; readonly reason: FailureReason; readonly description: string };

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html */
export type FailureReason = "Target.ResponseCodeMismatch" | "Target.Timeout" | "Target.FailedHealthChecks";

export interface Health {
  readonly state: "initial" | "healthy" | "unhealthy";
  readonly reason?: string;
  readonly description?: string;
  /** Checks in a row that contradict the state. */
  readonly streak: number;
}

export type Thresholds = Pick<TargetGroupState["healthCheck"], "healthyThreshold" | "unhealthyThreshold">;

export const newlyRegistered: Health = {
  state: "initial",
  reason: "Elb.InitialHealthChecking",
  description: "Initial health checks in progress",
  streak: 0,
};

export const healthy: Health = { state: "healthy", streak: 0 };

/**
 * The health after one more check. A new target is healthy after one passed check; an unhealthy one needs
 * `healthyThreshold` in a row; a target is unhealthy after `unhealthyThreshold` failed ones in a row.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
export function nextHealth(health: Health, outcome: CheckOutcome, thresholds: Thresholds): Health {
  if (outcome.passed) {
    if (health.state !== "unhealthy") return healthy;
    const streak = health.streak + 1;
    return streak >= thresholds.healthyThreshold ? healthy : { ...health, streak };
  }
  const { reason, description } = outcome;
  if (health.state === "unhealthy") return { state: "unhealthy", reason, description, streak: 0 };
  const streak = health.streak + 1;
  if (streak >= thresholds.unhealthyThreshold) return { state: "unhealthy", reason, description, streak: 0 };
  return { ...health, streak };
}

/** Whether the state, as AWS reports it, is another one; a streak that grows is no news. */
export function isNews(before: Health, after: Health): boolean {
  return before.state !== after.state || before.reason !== after.reason || before.description !== after.description;
}

/** Whether a status code counts as a success: `200`, `200-299` and `200,302` are matchers. */
export function matches(matcher: string, status: number): boolean {
  return matcher.split(",").some((part) => {
    const [low, high = low] = part.split("-").map(Number);
    return low !== undefined && high !== undefined && low <= status && status <= high;
  });
}

interface Candidate {
  readonly draining: boolean;
  readonly health: Health;
}

/**
 * The targets of a group that may get a request: the healthy ones; if none is, all unhealthy ones (the load balancer
 * fails open). A draining target gets none, and neither does one that has not passed its first check.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
export function eligibleTargets<T extends Candidate>(targets: readonly T[]): T[] {
  const inState = (state: Health["state"]) =>
    targets.filter((target) => !target.draining && target.health.state === state);
  const healthyTargets = inState("healthy");
  return healthyTargets.length > 0 ? healthyTargets : inState("unhealthy");
}
