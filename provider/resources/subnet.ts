import {
  CreateSubnetCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
  ModifySubnetAttributeCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { boolean, map, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist, waitFor } from "../wait.ts";

export const subnet = resource<aws.ec2.Subnet, aws.ec2.SubnetArgs>({
  token: "aws:ec2/subnet:Subnet",
  fields: {
    availabilityZone: string({ computed: true, replace: true }),
    cidrBlock: string({ required: true, replace: true }),
    mapPublicIpOnLaunch: boolean({ default: false }),
    tags: map(),
    vpcId: string({ required: true, replace: true }),
  },
  computed: { arn: true, ipv6CidrBlockAssociationId: true, ownerId: true },

  async create(inputs, { cloud, created, signal, timeoutSeconds = 600 }) {
    const { Subnet } = await cloud.ec2.send(
      new CreateSubnetCommand({
        VpcId: inputs.vpcId,
        CidrBlock: inputs.cidrBlock,
        AvailabilityZone: inputs.availabilityZone,
        TagSpecifications: tagSpecifications("subnet", inputs.tags),
      }),
    );
    const id = Subnet?.SubnetId ?? "";
    created(id);
    await waitFor(async () => ((await find(cloud, id))?.State === "available" ? true : undefined), {
      what: `${id} to be available`,
      timeoutSeconds,
      signal,
    });
    if (inputs.mapPublicIpOnLaunch) await setMapPublicIp(cloud, id, true);
    return id;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const dns = found.PrivateDnsNameOptionsOnLaunch;
    return {
      arn: found.SubnetArn ?? "",
      assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation ?? false,
      availabilityZone: found.AvailabilityZone ?? "",
      availabilityZoneId: found.AvailabilityZoneId ?? "",
      cidrBlock: found.CidrBlock ?? "",
      enableDns64: found.EnableDns64 ?? false,
      enableResourceNameDnsARecordOnLaunch: dns?.EnableResourceNameDnsARecord ?? false,
      enableResourceNameDnsAaaaRecordOnLaunch: dns?.EnableResourceNameDnsAAAARecord ?? false,
      ipv6CidrBlock: "",
      ipv6CidrBlockAssociationId: "",
      ipv6Native: found.Ipv6Native ?? false,
      mapPublicIpOnLaunch: found.MapPublicIpOnLaunch ?? false,
      ownerId: found.OwnerId ?? "",
      privateDnsHostnameTypeOnLaunch: dns?.HostnameType ?? "ip-name",
      tags: tagMap(found.Tags),
      vpcId: found.VpcId ?? "",
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("mapPublicIpOnLaunch")) await setMapPublicIp(cloud, id, news.mapPublicIpOnLaunch ?? false);
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 1200 }) {
    const remove = () =>
      unless(["InvalidSubnetID.NotFound"], cloud.ec2.send(new DeleteSubnetCommand({ SubnetId: id })));
    await insist(["DependencyViolation"], remove, { timeoutSeconds, signal });
  },
});

async function find(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] }));
  return (await unless(["InvalidSubnetID.NotFound"], call))?.Subnets?.[0];
}

async function setMapPublicIp(cloud: Cloud, id: string, Value: boolean): Promise<void> {
  await cloud.ec2.send(new ModifySubnetAttributeCommand({ SubnetId: id, MapPublicIpOnLaunch: { Value } }));
}
