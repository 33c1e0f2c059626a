import type { Action, Listener } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { ListenerAndRules } from "../cloud/routing.ts";
import { refusal } from "./facts.ts";

/** The listener on a port, or the only one that forwards. @throws HandoverError (exit 1) */
export function listenerOn(port: number | undefined, listeners: readonly ListenerAndRules[]): ListenerAndRules {
  const forwarding = listeners.filter(({ listener }) => groupsOf(listener.DefaultActions).length > 0);
  const found = port === undefined ? forwarding : listeners.filter(({ listener }) => listener.Port === port);
  const [only, ...others] = found;
  const ports = listeners.map(({ listener }) => listener.Port).join(", ") || "none";
  if (only === undefined)
    throw refusal([
      port === undefined
        ? `None of the load balancer's listeners (ports: ${ports}) forwards to a target group.`
        : `--listener-port: the load balancer has no listener on port ${port}; ports: ${ports}.`,
    ]);
  if (others.length > 0)
    throw refusal([
      `Listeners on the ports ${forwarding.map(({ listener }) => listener.Port).join(" and ")} forward to target groups, and Handover shifts the traffic of one. Name it with --listener-port; let the others redirect to it.`,
    ]);
  return only;
}

/** The one target group that a listener forwards to. @throws HandoverError (exit 1) */
export function targetGroupOf({ Port, DefaultActions = [] }: Listener): string {
  const [action, ...others] = DefaultActions;
  const [arn, ...more] = groupsOf(DefaultActions);
  if (others.length > 0 || action?.Type !== "forward" || arn === undefined)
    throw refusal([
      `The listener on port ${Port} does not just forward (${DefaultActions.map(({ Type }) => Type).join(", then ")}); Handover describes a listener whose default action forwards to one target group.`,
    ]);
  if (more.length > 0)
    throw refusal([
      `The listener on port ${Port} forwards to ${more.length + 1} target groups: ${[arn, ...more].join(", ")}. The servers of one generation are in one; leave only that in the listener's default action.`,
    ]);
  return arn;
}

/** Every target group that actions give requests to, whatever its weight. */
function groupsOf(actions: readonly Action[] = []): string[] {
  return actions.flatMap(({ TargetGroupArn, ForwardConfig }) => {
    const groups = ForwardConfig?.TargetGroups?.flatMap((group) => group.TargetGroupArn ?? []) ?? [];
    return groups.length > 0 ? groups : (TargetGroupArn ?? []);
  });
}
