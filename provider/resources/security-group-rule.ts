import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupRulesCommand,
  type IpPermission,
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { map, number, string } from "../fields.ts";
import { type Creation, type InputsOf, type ResourceType, resource } from "../resource.ts";
import { sameTags, tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { isEmpty } from "../values.ts";
import { sameProtocol } from "./security-group-rules.ts";

type Inputs = InputsOf<aws.vpc.SecurityGroupIngressRuleArgs>;
/** An egress rule has the same inputs and outputs. */
type RuleType = ResourceType<aws.vpc.SecurityGroupIngressRule, aws.vpc.SecurityGroupIngressRuleArgs>;

const notFound = ["InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"];
const sources = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;

/** One rule of a security group as a resource of its own. */
function ruleType(token: string, isEgress: boolean): RuleType {
  return {
    token,
    fields: {
      cidrIpv4: string(),
      cidrIpv6: string(),
      description: string(),
      fromPort: number(),
      ipProtocol: string({ required: true, same: sameProtocol }),
      prefixListId: string(),
      referencedSecurityGroupId: string(),
      securityGroupId: string({ required: true, replace: true }),
      tags: map(),
      toPort: number(),
    },
    exactlyOne: [sources],
    computed: { arn: true, securityGroupRuleId: true },

    /** A rule can get another source of the same kind only. */
    replaces: (news, olds) => (sourceOf(news) === sourceOf(olds) ? [] : [...sources]),

    async create(inputs, creation) {
      const { cloud, created } = creation;
      const request = {
        GroupId: inputs.securityGroupId,
        IpPermissions: [permission(inputs)],
        TagSpecifications: tagSpecifications("security-group-rule", inputs.tags),
      };
      const call = isEgress
        ? cloud.ec2.send(new AuthorizeSecurityGroupEgressCommand(request))
        : cloud.ec2.send(new AuthorizeSecurityGroupIngressCommand(request));
      const id = await call.then(
        ({ SecurityGroupRules }) => SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? "",
        (error: unknown) => adopt(inputs, isEgress, creation, error),
      );
      created(id);
      return id;
    },

    async read({ id, cloud, state }) {
      const command = new DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] });
      const found = (await unless(notFound, cloud.ec2.send(command)))?.SecurityGroupRules?.[0];
      if (found === undefined || found.IsEgress !== isEgress) return undefined;
      const account = await cloud.account();
      // AWS says -1 where there are no ports.
      const port = (value: number | undefined, said: number | undefined) =>
        value === -1 && said === undefined ? undefined : value;
      return {
        arn: `arn:aws:ec2:${cloud.region}:${account}:security-group-rule/${id}`,
        cidrIpv4: found.CidrIpv4,
        cidrIpv6: found.CidrIpv6,
        description: found.Description,
        fromPort: port(found.FromPort, state.fromPort),
        ipProtocol: found.IpProtocol ?? "",
        prefixListId: found.PrefixListId,
        referencedSecurityGroupId: referencedGroup(found, account),
        securityGroupId: found.GroupId ?? "",
        securityGroupRuleId: id,
        tags: tagMap(found.Tags),
        toPort: port(found.ToPort, state.toPort),
      };
    },

    async update({ cloud, id, olds, news, changed }) {
      if (changed(...sources, "description", "fromPort", "ipProtocol", "toPort")) {
        const { groupId } = reference(news);
        const SecurityGroupRule = {
          ...ports(news),
          CidrIpv4: news.cidrIpv4,
          CidrIpv6: news.cidrIpv6,
          Description: news.description,
          PrefixListId: news.prefixListId,
          ReferencedGroupId: groupId,
        };
        const SecurityGroupRules = [{ SecurityGroupRuleId: id, SecurityGroupRule }];
        const GroupId = news.securityGroupId;
        await cloud.ec2.send(new ModifySecurityGroupRulesCommand({ GroupId, SecurityGroupRules }));
      }
      await updateTags(cloud, id, olds.tags, news.tags);
    },

    async delete({ id, cloud, state }) {
      const request = { GroupId: state.securityGroupId, SecurityGroupRuleIds: [id] };
      const call = isEgress
        ? cloud.ec2.send(new RevokeSecurityGroupEgressCommand(request))
        : cloud.ec2.send(new RevokeSecurityGroupIngressCommand(request));
      await unless([...notFound, "InvalidPermission.NotFound"], call as Promise<unknown>);
    },
  };
}

export const securityGroupIngressRule = resource(
  ruleType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", false),
);
export const securityGroupEgressRule = resource(
  ruleType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", true),
);

function sourceOf(inputs: Inputs): string | undefined {
  return sources.find((key) => !isEmpty(inputs[key]));
}

function permission(inputs: Inputs): IpPermission {
  const { cidrIpv4, cidrIpv6, description: Description, prefixListId } = inputs;
  const { groupId, userId } = reference(inputs);
  return {
    ...ports(inputs),
    ...(cidrIpv4 !== undefined && { IpRanges: [{ CidrIp: cidrIpv4, Description }] }),
    ...(cidrIpv6 !== undefined && { Ipv6Ranges: [{ CidrIpv6: cidrIpv6, Description }] }),
    ...(prefixListId !== undefined && { PrefixListIds: [{ PrefixListId: prefixListId, Description }] }),
    ...(groupId !== undefined && { UserIdGroupPairs: [{ GroupId: groupId, UserId: userId, Description }] }),
  };
}

function ports({ ipProtocol, fromPort, toPort }: Inputs) {
  return { IpProtocol: ipProtocol === "all" ? "-1" : ipProtocol, FromPort: fromPort, ToPort: toPort };
}

/** `sg-…`, or `ACCOUNT/sg-…` for another account's. */
function reference({ referencedSecurityGroupId: text }: Inputs): { groupId?: string; userId?: string } {
  const parts = text?.split("/") ?? [];
  return { groupId: parts.at(-1), userId: parts.length > 1 ? parts[0] : undefined };
}

function referencedGroup({ ReferencedGroupInfo: info }: SecurityGroupRule, account: string): string | undefined {
  const isOthers = info?.UserId !== undefined && info.UserId !== "" && info.UserId !== account;
  return isOthers ? `${info.UserId}/${info.GroupId}` : info?.GroupId;
}

/** The same rule with the same tags that the state does not hold was left behind by a crash. */
async function adopt(
  inputs: Inputs,
  isEgress: boolean,
  { cloud, isHeld }: Creation,
  duplicate: unknown,
): Promise<string> {
  if (codeOf(duplicate) !== "InvalidPermission.Duplicate" || isHeld) throw duplicate;
  const account = await cloud.account();
  const left = (await rulesOf(cloud, inputs.securityGroupId)).find(
    (rule) =>
      rule.IsEgress === isEgress &&
      sameProtocol(rule.IpProtocol ?? "", inputs.ipProtocol) &&
      (rule.FromPort ?? -1) === (inputs.fromPort ?? -1) &&
      (rule.ToPort ?? -1) === (inputs.toPort ?? -1) &&
      rule.CidrIpv4 === inputs.cidrIpv4 &&
      rule.CidrIpv6 === inputs.cidrIpv6 &&
      rule.PrefixListId === inputs.prefixListId &&
      referencedGroup(rule, account) === inputs.referencedSecurityGroupId &&
      (rule.Description ?? "") === (inputs.description ?? "") &&
      sameTags(tagMap(rule.Tags), inputs.tags),
  )?.SecurityGroupRuleId;
  if (left === undefined) throw duplicate;
  return left;
}

async function rulesOf(cloud: Cloud, groupId: string): Promise<SecurityGroupRule[]> {
  const Filters = [{ Name: "group-id", Values: [groupId] }];
  return (await cloud.ec2.send(new DescribeSecurityGroupRulesCommand({ Filters }))).SecurityGroupRules ?? [];
}
