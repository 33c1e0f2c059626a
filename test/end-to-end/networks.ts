import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeRouteTablesCommand,
  EC2Client,
  ModifySubnetAttributeCommand,
  waitUntilNatGatewayAvailable,
} from "@aws-sdk/client-ec2";
import { get } from "../../sandbox/sandbox.ts";
import { slot } from "../../sandbox/slot.ts";
import type { editStack } from "./command-line.ts";
import { Site } from "./site.ts";

/** How the servers of a subnet reach the Internet: with public addresses of theirs, with that of a gateway, or not at all. */
export type Way = "internet gateway" | "NAT gateway" | "none";

export interface MadeNetwork {
  readonly vpcId: string;
  /** One for each way, in two availability zones. */
  readonly subnetIds: readonly string[];
  /** The address by which calls through the NAT gateway go out; undefined without one. */
  readonly natAddress: string | undefined;
}

/**
 * A network made by plain AWS calls. Its main route table leads to an internet gateway where a subnet needs one; subnets of
 * other ways have a table of their own.
 * @param mapPublicIps whether servers in a subnet with an internet gateway get addresses unless their launch says otherwise, as in a default network
 */
export async function makeNetwork(
  ec2: EC2Client,
  cidrBlock: string,
  ways: readonly Way[],
  { mapPublicIps = false } = {},
): Promise<MadeNetwork> {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: cidrBlock }));
  const VpcId = Vpc?.VpcId ?? "";
  const [, prefix = "", third = ""] = /^(\d+\.\d+)\.(\d+)\./.exec(cidrBlock) ?? [];
  const subnet = async (index: number): Promise<string> => {
    const place = {
      CidrBlock: `${prefix}.${Number(third) + index}.0/24`,
      AvailabilityZone: `us-east-1${"ab"[index % 2]}`,
    };
    return (await ec2.send(new CreateSubnetCommand({ VpcId, ...place }))).Subnet?.SubnetId ?? "";
  };
  const route = (RouteTableId: string, to: { readonly GatewayId?: string; readonly NatGatewayId?: string }) =>
    ec2.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", ...to }));
  const ownTable = async (SubnetId: string): Promise<string> => {
    const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId }));
    const RouteTableId = RouteTable?.RouteTableId ?? "";
    await ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
    return RouteTableId;
  };

  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  const GatewayId = InternetGateway?.InternetGatewayId ?? "";
  await ec2.send(new AttachInternetGatewayCommand({ VpcId, InternetGatewayId: GatewayId }));
  if (ways.includes("internet gateway")) {
    const Filters = [
      { Name: "vpc-id", Values: [VpcId] },
      { Name: "association.main", Values: ["true"] },
    ];
    const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
    await route(RouteTables?.[0]?.RouteTableId ?? "", { GatewayId });
  }
  let nat: { readonly NatGatewayId: string; readonly address: string | undefined } | undefined;
  if (ways.includes("NAT gateway")) {
    const SubnetId = await subnet(8);
    await route(await ownTable(SubnetId), { GatewayId });
    const { AllocationId, PublicIp } = await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    const { NatGateway } = await ec2.send(new CreateNatGatewayCommand({ SubnetId, AllocationId }));
    nat = { NatGatewayId: NatGateway?.NatGatewayId ?? "", address: PublicIp };
    await waitUntilNatGatewayAvailable(
      { client: ec2, minDelay: 1, maxWaitTime: 60 },
      { NatGatewayIds: [nat.NatGatewayId] },
    );
  }
  const subnetIds: string[] = [];
  for (const [index, way] of ways.entries()) {
    const SubnetId = await subnet(index);
    subnetIds.push(SubnetId);
    if (way === "internet gateway") {
      const command = new ModifySubnetAttributeCommand({ SubnetId, MapPublicIpOnLaunch: { Value: mapPublicIps } });
      await ec2.send(command);
    } else {
      const table = await ownTable(SubnetId);
      if (nat !== undefined && way === "NAT gateway") await route(table, { NatGatewayId: nat.NatGatewayId });
    }
  }
  return { vpcId: VpcId, subnetIds, natAddress: nat?.address };
}

/** A site that is not deployed yet, in a network that was there before it: a subnet for each way. */
export async function siteInNetwork(
  name: string,
  ways: readonly [Way, Way],
  edit: Parameters<typeof editStack>[1] = () => {},
): Promise<{ readonly site: Site; readonly network: MadeNetwork }> {
  const site = await Site.prepared(name, edit);
  const ec2 = new EC2Client(site.settings);
  try {
    const network = await makeNetwork(ec2, slot(get(name).slot).cidrBlock, ways);
    const { vpcId, subnetIds } = network;
    assert.equal(subnetIds.length, ways.length);
    site.edit((config) => {
      config["handover:site"].network = { vpcId, subnetIds };
    });
    return { site, network };
  } catch (error) {
    await site.down();
    throw error;
  } finally {
    ec2.destroy();
  }
}
