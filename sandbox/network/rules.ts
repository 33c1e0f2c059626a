import type { Random } from "./random.ts";
import type { ForwardAction, RedirectAction, RuleState } from "./state.ts";

/** A rule whose patterns are compiled once, when a snapshot arrives. */
export interface CompiledRule {
  readonly action: RuleState["action"];
  readonly hosts: readonly RegExp[];
  readonly paths: readonly RegExp[];
}

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html */
export function compileRules(rules: readonly RuleState[]): CompiledRule[] {
  return rules.map(({ action, hosts, paths }) => ({
    action,
    hosts: hosts.map((pattern) => wildcard(pattern, "i")),
    paths: paths.map((pattern) => wildcard(pattern, "")),
  }));
}

/** `*` stands for any number of characters, `?` for exactly one. */
function wildcard(pattern: string, flags: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, `s${flags}`);
}

/**
 * The first rule whose conditions all hold. Hosts are compared without case and port, paths with case and without query.
 * @param hostHeader the Host header as the client sent it; an HTTP/1.0 request may have none.
 * @param url the request's target, such as `/img/a.png?size=2`.
 */
export function matchRule(
  rules: readonly CompiledRule[],
  hostHeader: string | undefined,
  url: string,
): CompiledRule | undefined {
  const host = (hostHeader ?? "").replace(/:\d+$/, "");
  const [path = ""] = url.split("?", 1);
  return rules.find((rule) => anyMatches(rule.hosts, host) && anyMatches(rule.paths, path));
}

function anyMatches(patterns: readonly RegExp[], text: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => pattern.test(text));
}

/**
 * The target group of a request. A client that is stuck to one of the action's groups keeps it, whatever the weights
 * say now, 0 too; any other client goes by the weights. Undefined when all weights are 0.
 * @param stuckTo the group that the client's cookie names; ignored when the action is not sticky or lacks the group.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
 * @see https://repost.aws/questions/QUugYm4uzWSI2af5mnmMjlZQ/alb-to-automatically-redirect-traffic
 */
export function chooseGroup(action: ForwardAction, stuckTo: string | undefined, random: Random): string | undefined {
  const groups = action.targetGroups;
  if (action.stickinessSeconds > 0 && groups.some((group) => group.arn === stuckTo)) return stuckTo;
  let point = random() * groups.reduce((sum, group) => sum + group.weight, 0);
  for (const { arn, weight } of groups) {
    if (weight > 0 && point < weight) return arn;
    point -= weight;
  }
  return undefined;
}

/**
 * Where a client is sent. A port that its protocol has anyway is not named.
 * @param listenerPort the port at which the request came, over HTTP
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
 */
export function locationOf(
  action: RedirectAction,
  hostHeader: string | undefined,
  url: string,
  listenerPort: number,
): string {
  const [path = "/", query = ""] = url.split("?", 2);
  const own: Readonly<Record<string, string>> = {
    host: (hostHeader ?? "").replace(/:\d+$/, ""),
    port: String(listenerPort),
    path: path.slice(1),
    query,
    protocol: "HTTP",
  };
  const fill = (text: string) => text.replace(/#\{(\w+)\}/g, (whole, name: string) => own[name] ?? whole);
  const protocol = fill(action.protocol).toLowerCase();
  const port = fill(action.port);
  const isUsual = port === (protocol === "https" ? "443" : "80");
  const rest = fill(action.query);
  return `${protocol}://${fill(action.host)}${isUsual ? "" : `:${port}`}${fill(action.path)}${rest === "" ? "" : `?${rest}`}`;
}
