import {
  type Address,
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { map, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist } from "../wait.ts";

export const eip = resource<aws.ec2.Eip, aws.ec2.EipArgs>({
  token: "aws:ec2/eip:Eip",
  fields: {
    address: string({ replace: true, writeOnly: true }),
    domain: string({ computed: true, replace: true }),
    instance: string({ computed: true }),
    ipamPoolId: string({ computed: true, replace: true }),
    networkBorderGroup: string({ computed: true, replace: true }),
    publicIpv4Pool: string({ computed: true, replace: true }),
    tags: map(),
  },
  computed: {
    allocationId: true,
    arn: true,
    associationId: true,
    carrierIp: true,
    customerOwnedIp: true,
    privateDns: true,
    privateIp: true,
    ptrRecord: true,
    publicDns: true,
    publicIp: true,
  },

  async create(inputs, { cloud, created }) {
    const { AllocationId: id = "" } = await cloud.ec2.send(
      new AllocateAddressCommand({
        Address: inputs.address,
        Domain: (inputs.domain ?? "vpc") as "vpc",
        IpamPoolId: inputs.ipamPoolId,
        NetworkBorderGroup: inputs.networkBorderGroup,
        PublicIpv4Pool: inputs.publicIpv4Pool,
        TagSpecifications: tagSpecifications("elastic-ip", inputs.tags),
      }),
    );
    created(id);
    if (inputs.instance) await associate(cloud, id, inputs.instance);
    return id;
  },

  async read({ id, cloud }) {
    const found = await findAddress(cloud, "allocation-id", id);
    if (found === undefined) return undefined;
    const { PublicIp: publicIp = "", PrivateIpAddress: privateIp = "", PublicIpv4Pool: pool = "" } = found;
    // AWS names either kind of pool in one place.
    const isOfIpam = pool.startsWith("ipam-pool-");
    return {
      allocationId: id,
      arn: `arn:aws:ec2:${cloud.region}:${await accountOf(cloud, found)}:elastic-ip/${id}`,
      associationId: found.AssociationId ?? "",
      carrierIp: found.CarrierIp ?? "",
      customerOwnedIp: found.CustomerOwnedIp ?? "",
      domain: found.Domain ?? "vpc",
      instance: found.InstanceId ?? "",
      ipamPoolId: isOfIpam ? pool : "",
      networkBorderGroup: found.NetworkBorderGroup ?? "",
      networkInterface: found.NetworkInterfaceId ?? "",
      privateDns: privateIp && `ip-${privateIp.replaceAll(".", "-")}.${zone(cloud, "internal")}`,
      privateIp,
      ptrRecord: "",
      publicDns: publicIp && `ec2-${publicIp.replaceAll(".", "-")}.${zone(cloud, "amazonaws.com")}`,
      publicIp,
      publicIpv4Pool: isOfIpam ? "" : pool,
      tags: tagMap(found.Tags),
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    if (changed("instance") && news.instance) await associate(cloud, id, news.instance);
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 180 }) {
    const found = await findAddress(cloud, "allocation-id", id);
    if (found === undefined) return;
    if (found.AssociationId !== undefined && found.AssociationId !== "") {
      const command = new DisassociateAddressCommand({ AssociationId: found.AssociationId });
      await unless(["InvalidAssociationID.NotFound"], cloud.ec2.send(command));
    }
    const command = new ReleaseAddressCommand({ AllocationId: id });
    const released = () => unless(["InvalidAllocationID.NotFound"], cloud.ec2.send(command));
    await insist(["AuthFailure", "InvalidIPAddress.InUse"], released, { timeoutSeconds, signal });
  },
});

/** Uses a filter, because an id that does not exist would be an error. */
export async function findAddress(cloud: Cloud, filter: string, value: string): Promise<Address | undefined> {
  const command = new DescribeAddressesCommand({ Filters: [{ Name: filter, Values: [value] }] });
  return (await cloud.ec2.send(command)).Addresses?.[0];
}

async function associate(cloud: Cloud, AllocationId: string, InstanceId: string): Promise<void> {
  await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId, AllowReassociation: true }));
}

function zone({ region }: Cloud, suffix: "internal" | "amazonaws.com"): string {
  if (suffix === "internal") return region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
  return region === "us-east-1" ? "compute-1.amazonaws.com" : `${region}.compute.amazonaws.com`;
}

/** An address that was never associated does not say whose it is; the account's default groups do. */
async function accountOf(cloud: Cloud, address: Address): Promise<string> {
  return address.NetworkInterfaceOwnerId || (await cloud.account());
}
