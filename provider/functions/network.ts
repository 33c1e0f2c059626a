import {
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { boolean, map, string } from "../fields.ts";
import { tagMap } from "../tags.ts";
import { filters } from "./availability-zones.ts";
import { filterList, one, type Query } from "./filters.ts";
import { providerFunction } from "./function.ts";

export const getVpc = providerFunction<aws.ec2.GetVpcArgs, aws.ec2.GetVpcResult>({
  fields: {
    cidrBlock: string(),
    default: boolean(),
    dhcpOptionsId: string(),
    filters,
    id: string(),
    state: string(),
    tags: map(),
  },

  async invoke(args, { ec2, region }) {
    const Filters = filterList(args, {
      cidr: args.cidrBlock,
      "dhcp-options-id": args.dhcpOptionsId,
      isDefault: args.default?.toString(),
      state: args.state,
    });
    const found = onlyOne(
      "network",
      (await ec2.send(new DescribeVpcsCommand({ ...ids("VpcIds", args), Filters }))).Vpcs,
    );
    const VpcId = found.VpcId ?? "";
    const attribute = (Attribute: "enableDnsHostnames" | "enableDnsSupport" | "enableNetworkAddressUsageMetrics") =>
      ec2.send(new DescribeVpcAttributeCommand({ VpcId, Attribute }));
    const main = { Filters: [one("vpc-id", VpcId), one("association.main", "true")] };
    const [hostnames, support, metrics, tables] = await Promise.all([
      attribute("enableDnsHostnames"),
      attribute("enableDnsSupport"),
      attribute("enableNetworkAddressUsageMetrics"),
      ec2.send(new DescribeRouteTablesCommand(main)),
    ]);
    return {
      arn: `arn:aws:ec2:${region}:${found.OwnerId}:vpc/${VpcId}`,
      cidrBlock: found.CidrBlock ?? "",
      cidrBlockAssociations: (found.CidrBlockAssociationSet ?? []).map((each) => ({
        associationId: each.AssociationId ?? "",
        cidrBlock: each.CidrBlock ?? "",
        state: each.CidrBlockState?.State ?? "",
      })),
      default: found.IsDefault ?? false,
      dhcpOptionsId: found.DhcpOptionsId ?? "",
      enableDnsHostnames: hostnames.EnableDnsHostnames?.Value ?? false,
      enableDnsSupport: support.EnableDnsSupport?.Value ?? true,
      enableNetworkAddressUsageMetrics: metrics.EnableNetworkAddressUsageMetrics?.Value ?? false,
      id: VpcId,
      instanceTenancy: found.InstanceTenancy ?? "default",
      ipv6AssociationId: found.Ipv6CidrBlockAssociationSet?.[0]?.AssociationId ?? "",
      ipv6CidrBlock: found.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociations: (found.Ipv6CidrBlockAssociationSet ?? []).map((each) => ({
        associationId: each.AssociationId ?? "",
        ipSource: each.IpSource ?? "",
        ipv6AddressAttribute: each.Ipv6AddressAttribute ?? "",
        ipv6CidrBlock: each.Ipv6CidrBlock ?? "",
        ipv6Pool: each.Ipv6Pool ?? "",
        networkBorderGroup: each.NetworkBorderGroup ?? "",
        state: each.Ipv6CidrBlockState?.State ?? "",
      })),
      mainRouteTableId: tables.RouteTables?.[0]?.RouteTableId ?? "",
      ownerId: found.OwnerId ?? "",
      state: found.State ?? "",
      tags: tagMap(found.Tags) ?? {},
    };
  },
});

export const getSubnet = providerFunction<aws.ec2.GetSubnetArgs, aws.ec2.GetSubnetResult>({
  fields: {
    availabilityZone: string(),
    availabilityZoneId: string(),
    cidrBlock: string(),
    defaultForAz: boolean(),
    filters,
    id: string(),
    ipv6CidrBlock: string(),
    state: string(),
    tags: map(),
    vpcId: string(),
  },

  async invoke(args, { ec2 }) {
    const Filters = filterList(args, {
      availabilityZone: args.availabilityZone,
      availabilityZoneId: args.availabilityZoneId,
      cidrBlock: args.cidrBlock,
      defaultForAz: args.defaultForAz?.toString(),
      "ipv6-cidr-block-association.ipv6-cidr-block": args.ipv6CidrBlock,
      state: args.state,
      "vpc-id": args.vpcId,
    });
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ ...ids("SubnetIds", args), Filters }));
    const found = onlyOne("subnet", Subnets);
    const dns = found.PrivateDnsNameOptionsOnLaunch;
    return {
      arn: found.SubnetArn ?? "",
      assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation ?? false,
      availabilityZone: found.AvailabilityZone ?? "",
      availabilityZoneId: found.AvailabilityZoneId ?? "",
      availableIpAddressCount: found.AvailableIpAddressCount ?? 0,
      cidrBlock: found.CidrBlock ?? "",
      customerOwnedIpv4Pool: found.CustomerOwnedIpv4Pool ?? "",
      defaultForAz: found.DefaultForAz ?? false,
      enableDns64: found.EnableDns64 ?? false,
      enableLniAtDeviceIndex: found.EnableLniAtDeviceIndex ?? 0,
      enableResourceNameDnsARecordOnLaunch: dns?.EnableResourceNameDnsARecord ?? false,
      enableResourceNameDnsAaaaRecordOnLaunch: dns?.EnableResourceNameDnsAAAARecord ?? false,
      id: found.SubnetId ?? "",
      ipv6CidrBlock: found.Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociationId: found.Ipv6CidrBlockAssociationSet?.[0]?.AssociationId ?? "",
      ipv6Native: found.Ipv6Native ?? false,
      mapCustomerOwnedIpOnLaunch: found.MapCustomerOwnedIpOnLaunch ?? false,
      mapPublicIpOnLaunch: found.MapPublicIpOnLaunch ?? false,
      outpostArn: found.OutpostArn ?? "",
      ownerId: found.OwnerId ?? "",
      privateDnsHostnameTypeOnLaunch: dns?.HostnameType ?? "ip-name",
      state: found.State ?? "",
      tags: tagMap(found.Tags) ?? {},
      vpcId: found.VpcId ?? "",
    };
  },
});

function ids<Key extends string>(key: Key, { id }: Query): { [K in Key]?: string[] } {
  return (id === undefined ? {} : { [key]: [id] }) as { [K in Key]?: string[] };
}

function onlyOne<T>(what: string, found: readonly T[] = []): T {
  const [first, another] = found;
  if (first === undefined) throw new Error(`no matching ${what} found`);
  if (another !== undefined) throw new Error(`multiple ${what}s matched; use additional constraints`);
  return first;
}
