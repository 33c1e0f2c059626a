import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  type IpPermission,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, map, number, object, set, string } from "../fields.ts";
import { prefixOf } from "../names.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist } from "../wait.ts";
import { describeRules, permissions, type Rule, type RuleInput, sameProtocol } from "./security-group-rules.ts";

const rules = () =>
  set(
    object<aws.types.input.ec2.SecurityGroupIngress>({
      cidrBlocks: set(string()),
      description: string(),
      fromPort: number({ required: true }),
      ipv6CidrBlocks: set(string()),
      prefixListIds: set(string()),
      protocol: string({ required: true, same: sameProtocol }),
      securityGroups: set(string()),
      self: boolean({ default: false }),
      toPort: number({ required: true }),
    }),
    { computed: true },
  );

export const securityGroup = resource<aws.ec2.SecurityGroup, aws.ec2.SecurityGroupArgs>({
  token: "aws:ec2/securityGroup:SecurityGroup",
  fields: {
    description: string({ default: "Managed by Pulumi", replace: true }),
    egress: rules(),
    ingress: rules(),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    revokeRulesOnDelete: boolean({ default: false, writeOnly: true }),
    tags: map(),
    vpcId: string({ computed: true, replace: true }),
  },
  computed: { arn: true, ownerId: true },
  autoname: { property: "name", maxLength: 255 },

  async create(inputs, { cloud, created }) {
    const { name = "", vpcId } = inputs;
    const command = new CreateSecurityGroupCommand({
      GroupName: name,
      Description: inputs.description,
      VpcId: vpcId,
      TagSpecifications: tagSpecifications("security-group", inputs.tags),
    });
    const { GroupId: id = "" } = await cloud.ec2.send(command);
    created(id);
    // AWS adds a rule that lets everything out; a program says itself what may leave.
    const initial = await insist(["InvalidGroup.NotFound"], () => describe(cloud, id), {
      timeoutSeconds: 60,
      signal: AbortSignal.timeout(120_000),
    });
    await revoke(cloud, id, "egress", initial.IpPermissionsEgress ?? []);
    await authorize(cloud, id, "egress", permissions(inputs.egress, id));
    await authorize(cloud, id, "ingress", permissions(inputs.ingress, id));
    return id;
  },

  async read({ id, cloud }) {
    const found = await unless(["InvalidGroup.NotFound", "InvalidGroupId.Malformed"], describe(cloud, id));
    if (found === undefined) return undefined;
    return {
      arn: `arn:aws:ec2:${cloud.region}:${found.OwnerId}:security-group/${id}`,
      description: found.Description ?? "",
      egress: describeRules(found.IpPermissionsEgress, id),
      ingress: describeRules(found.IpPermissions, id),
      name: found.GroupName ?? "",
      namePrefix: prefixOf(found.GroupName),
      ownerId: found.OwnerId ?? "",
      tags: tagMap(found.Tags),
      vpcId: found.VpcId ?? "",
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    for (const direction of ["ingress", "egress"] as const) {
      if (changed(direction)) await replaceRules(cloud, id, direction, olds[direction], news[direction]);
    }
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, state, signal, timeoutSeconds = 900 }) {
    if (state.revokeRulesOnDelete) {
      const found = await unless(["InvalidGroup.NotFound"], describe(cloud, id));
      await revoke(cloud, id, "ingress", found?.IpPermissions ?? []);
      await revoke(cloud, id, "egress", found?.IpPermissionsEgress ?? []);
    }
    const command = new DeleteSecurityGroupCommand({ GroupId: id });
    const gone = () => unless(["InvalidGroup.NotFound"], cloud.ec2.send(command));
    // Servers and load balancers that are on their way out still hold it.
    await insist(["DependencyViolation", "InvalidGroup.InUse"], gone, { timeoutSeconds, signal });
  },
});

type Direction = "ingress" | "egress";

async function describe(cloud: Cloud, id: string) {
  const { SecurityGroups } = await cloud.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }));
  return SecurityGroups?.[0] ?? {};
}

/** Leaves unchanged rules alone: revoking one and adding it again would open a gap. */
async function replaceRules(
  cloud: Cloud,
  id: string,
  direction: Direction,
  olds: readonly RuleInput[] | undefined,
  news: readonly RuleInput[] | undefined,
): Promise<void> {
  const before = permissions(olds, id);
  const after = permissions(news, id);
  const key = ({ key: text }: Rule) => text;
  const kept = new Set(before.map(key).filter((text) => after.some((rule) => rule.key === text)));
  await authorize(
    cloud,
    id,
    direction,
    after.filter((rule) => !kept.has(rule.key)),
  );
  await revoke(
    cloud,
    id,
    direction,
    before.filter((rule) => !kept.has(rule.key)).map(({ permission }) => permission),
  );
}

async function authorize(cloud: Cloud, GroupId: string, direction: Direction, rules: readonly Rule[]): Promise<void> {
  if (rules.length === 0) return;
  const IpPermissions = rules.map(({ permission }) => permission);
  try {
    await (direction === "ingress"
      ? cloud.ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
      : cloud.ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions })));
  } catch (error) {
    if (codeOf(error) !== "InvalidPermission.Duplicate" || rules.length === 1) {
      if (codeOf(error) === "InvalidPermission.Duplicate") return;
      throw error;
    }
    for (const rule of rules) await authorize(cloud, GroupId, direction, [rule]);
  }
}

async function revoke(cloud: Cloud, GroupId: string, direction: Direction, rules: IpPermission[]): Promise<void> {
  if (rules.length === 0) return;
  const call =
    direction === "ingress"
      ? cloud.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: rules }))
      : cloud.ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: rules }));
  await unless(["InvalidPermission.NotFound"], call as Promise<unknown>);
}
