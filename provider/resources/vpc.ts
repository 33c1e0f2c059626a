import {
  CreateVpcCommand,
  DeleteVpcCommand,
  DescribeNetworkAclsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcsCommand,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { boolean, map, string } from "../fields.ts";
import { type Operation, resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

export const vpc = resource<aws.ec2.Vpc, aws.ec2.VpcArgs>({
  token: "aws:ec2/vpc:Vpc",
  fields: {
    cidrBlock: string({ required: true, replace: true }),
    enableDnsHostnames: boolean({ default: false }),
    enableDnsSupport: boolean({ default: true }),
    instanceTenancy: string({ default: "default", replace: true }),
    tags: map(),
  },
  computed: {
    arn: true,
    defaultNetworkAclId: true,
    defaultRouteTableId: true,
    defaultSecurityGroupId: true,
    dhcpOptionsId: true,
    ipv6AssociationId: true,
    mainRouteTableId: true,
    ownerId: true,
  },

  async create(inputs, creation) {
    const { ec2 } = creation.cloud;
    const { Vpc } = await ec2.send(
      new CreateVpcCommand({
        CidrBlock: inputs.cidrBlock,
        InstanceTenancy: inputs.instanceTenancy as "default",
        TagSpecifications: tagSpecifications("vpc", inputs.tags),
      }),
    );
    const id = Vpc?.VpcId ?? "";
    creation.created(id);
    await waitFor(async () => ((await find(creation.cloud, id))?.State === "available" ? true : undefined), {
      what: `${id} to be available`,
      timeoutSeconds: creation.timeoutSeconds ?? 600,
      signal: creation.signal,
    });
    if (inputs.enableDnsSupport === false) await setDnsSupport(creation, id, false);
    if (inputs.enableDnsHostnames) await setDnsHostnames(creation, id, true);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const ofVpc = [{ Name: "vpc-id", Values: [id] }];
    const isDefault = { Name: "default", Values: ["true"] };
    const [support, hostnames, usage, acls, tables, groups] = await Promise.all([
      cloud.ec2.send(new DescribeVpcAttributeCommand({ VpcId: id, Attribute: "enableDnsSupport" })),
      cloud.ec2.send(new DescribeVpcAttributeCommand({ VpcId: id, Attribute: "enableDnsHostnames" })),
      cloud.ec2.send(new DescribeVpcAttributeCommand({ VpcId: id, Attribute: "enableNetworkAddressUsageMetrics" })),
      cloud.ec2.send(new DescribeNetworkAclsCommand({ Filters: [...ofVpc, isDefault] })),
      cloud.ec2.send(
        new DescribeRouteTablesCommand({ Filters: [...ofVpc, { Name: "association.main", Values: ["true"] }] }),
      ),
      cloud.ec2.send(
        new DescribeSecurityGroupsCommand({ Filters: [...ofVpc, { Name: "group-name", Values: ["default"] }] }),
      ),
    ]);
    const mainRouteTableId = tables.RouteTables?.[0]?.RouteTableId ?? "";
    const ownerId = found.OwnerId ?? "";
    return {
      arn: `arn:aws:ec2:${cloud.region}:${ownerId}:vpc/${id}`,
      assignGeneratedIpv6CidrBlock: false,
      cidrBlock: found.CidrBlock ?? "",
      defaultNetworkAclId: acls.NetworkAcls?.[0]?.NetworkAclId ?? "",
      defaultRouteTableId: mainRouteTableId,
      defaultSecurityGroupId: groups.SecurityGroups?.[0]?.GroupId ?? "",
      dhcpOptionsId: found.DhcpOptionsId ?? "",
      enableDnsHostnames: hostnames.EnableDnsHostnames?.Value ?? false,
      enableDnsSupport: support.EnableDnsSupport?.Value ?? true,
      enableNetworkAddressUsageMetrics: usage.EnableNetworkAddressUsageMetrics?.Value ?? false,
      instanceTenancy: found.InstanceTenancy ?? "default",
      ipv6AssociationId: "",
      ipv6CidrBlock: "",
      ipv6CidrBlockNetworkBorderGroup: "",
      mainRouteTableId,
      ownerId,
      tags: tagMap(found.Tags),
    };
  },

  async update(change) {
    const { id, news, olds } = change;
    if (change.changed("enableDnsSupport")) await setDnsSupport(change, id, news.enableDnsSupport ?? true);
    if (change.changed("enableDnsHostnames")) await setDnsHostnames(change, id, news.enableDnsHostnames ?? false);
    await updateTags(change.cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 300 }) {
    const remove = () => unless(["InvalidVpcID.NotFound"], cloud.ec2.send(new DeleteVpcCommand({ VpcId: id })));
    await insist(["DependencyViolation"], remove, { timeoutSeconds, signal });
  },
});

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeVpcsCommand({ VpcIds: [id] }));
  return (await unless(["InvalidVpcID.NotFound"], call))?.Vpcs?.[0];
}

async function setDnsSupport({ cloud }: Operation, id: string, value: boolean): Promise<void> {
  await cloud.ec2.send(new ModifyVpcAttributeCommand({ VpcId: id, EnableDnsSupport: { Value: value } }));
}

async function setDnsHostnames({ cloud }: Operation, id: string, value: boolean): Promise<void> {
  await cloud.ec2.send(new ModifyVpcAttributeCommand({ VpcId: id, EnableDnsHostnames: { Value: value } }));
}
