/**
 * The processes that launch, terminate or change capacity. Servers stay registered: `AddToLoadBalancer` and
 * `HealthCheck` keep working.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
 */
export const allThatScales = [
  "AZRebalance",
  "AlarmNotification",
  "Launch",
  "ReplaceUnhealthy",
  "ScheduledActions",
  "Terminate",
] as const;

/** Without these an array could not launch and register the servers that it is created for. */
export const neededToFill: readonly string[] = ["AddToLoadBalancer", "HealthCheck", "Launch"];
