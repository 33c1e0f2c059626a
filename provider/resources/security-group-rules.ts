import type { IpPermission } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { canonicalJson } from "../../automation/ledger/canonical.ts";
import type { Value } from "../values.ts";

export interface RuleInput {
  readonly cidrBlocks?: readonly string[];
  readonly description?: string;
  readonly fromPort: number;
  readonly ipv6CidrBlocks?: readonly string[];
  readonly prefixListIds?: readonly string[];
  readonly protocol: string;
  readonly securityGroups?: readonly string[];
  readonly self?: boolean;
  readonly toPort: number;
}

/** One source or destination of a rule, as AWS counts rules. */
export interface Rule {
  /** Equal for equal rules. */
  readonly key: string;
  readonly permission: IpPermission;
}

export function permissions(rules: readonly RuleInput[] | undefined, groupId: string): Rule[] {
  const single = (rules ?? []).flatMap((rule): IpPermission[] => {
    const Description = rule.description;
    const groups = [...(rule.securityGroups ?? []), ...(rule.self ? [groupId] : [])];
    return [
      ...(rule.cidrBlocks ?? []).map((CidrIp) => ({ IpRanges: [{ CidrIp, Description }] })),
      ...(rule.ipv6CidrBlocks ?? []).map((CidrIpv6) => ({ Ipv6Ranges: [{ CidrIpv6, Description }] })),
      ...(rule.prefixListIds ?? []).map((PrefixListId) => ({ PrefixListIds: [{ PrefixListId, Description }] })),
      ...groups.map((GroupId) => ({ UserIdGroupPairs: [{ GroupId, Description }] })),
    ].map((range) => ({ ...ports(rule), ...range }));
  });
  return single.map((permission) => ({ key: canonicalJson(permission), permission }));
}

/** AWS knows these protocols by name, whatever a program calls them. */
export function sameProtocol(old: Value, now: Value): boolean {
  const names: Readonly<Record<string, string>> = { all: "-1", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6" };
  const name = (value: Value) => names[String(value).toLowerCase()] ?? String(value).toLowerCase();
  return name(old) === name(now);
}

function ports({ protocol, fromPort, toPort }: RuleInput): IpPermission {
  // "All protocols" has no ports.
  if (protocol === "-1" || protocol === "all") return { IpProtocol: "-1" };
  return { IpProtocol: protocol, FromPort: fromPort, ToPort: toPort };
}

/** The rules as a program writes them: one for all sources with the same ports and description. */
export function describeRules(
  found: readonly IpPermission[] | undefined,
  groupId: string,
): aws.types.output.ec2.SecurityGroupIngress[] {
  const rules = new Map<string, aws.types.output.ec2.SecurityGroupIngress>();
  for (const permission of found ?? []) {
    const { IpProtocol: protocol = "-1", FromPort: fromPort = 0, ToPort: toPort = 0 } = permission;
    const ruleWith = (description: string | undefined) => {
      const key = canonicalJson([protocol, fromPort, toPort, description]);
      const rule = rules.get(key) ?? { protocol, fromPort, toPort, ...(description && { description }) };
      rules.set(key, rule);
      return rule;
    };
    for (const { CidrIp = "", Description } of permission.IpRanges ?? []) {
      const rule = ruleWith(Description);
      rule.cidrBlocks = [...(rule.cidrBlocks ?? []), CidrIp];
    }
    for (const { CidrIpv6 = "", Description } of permission.Ipv6Ranges ?? []) {
      const rule = ruleWith(Description);
      rule.ipv6CidrBlocks = [...(rule.ipv6CidrBlocks ?? []), CidrIpv6];
    }
    for (const { PrefixListId = "", Description } of permission.PrefixListIds ?? []) {
      const rule = ruleWith(Description);
      rule.prefixListIds = [...(rule.prefixListIds ?? []), PrefixListId];
    }
    for (const { GroupId = "", Description } of permission.UserIdGroupPairs ?? []) {
      const rule = ruleWith(Description);
      if (GroupId === groupId) rule.self = true;
      else rule.securityGroups = [...(rule.securityGroups ?? []), GroupId];
    }
  }
  return [...rules.values()];
}
