import { DescribeRouteTablesCommand, type Route } from "@aws-sdk/client-ec2";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";

/** The target of a route: one of these. */
export interface Target {
  readonly egressOnlyGatewayId?: string;
  readonly gatewayId?: string;
  readonly natGatewayId?: string;
  readonly networkInterfaceId?: string;
  readonly transitGatewayId?: string;
  readonly vpcEndpointId?: string;
  readonly vpcPeeringConnectionId?: string;
}

export const targets = [
  "egressOnlyGatewayId",
  "gatewayId",
  "natGatewayId",
  "networkInterfaceId",
  "transitGatewayId",
  "vpcEndpointId",
  "vpcPeeringConnectionId",
] as const satisfies readonly (keyof Target)[];

export function targetRequest(target: Target) {
  return {
    EgressOnlyInternetGatewayId: target.egressOnlyGatewayId,
    GatewayId: target.gatewayId,
    NatGatewayId: target.natGatewayId,
    NetworkInterfaceId: target.networkInterfaceId,
    TransitGatewayId: target.transitGatewayId,
    VpcEndpointId: target.vpcEndpointId,
    VpcPeeringConnectionId: target.vpcPeeringConnectionId,
  };
}

/** AWS shows an endpoint as a gateway. */
export function describeTarget(found: Route): Target {
  const isEndpoint = found.GatewayId?.startsWith("vpce-") ?? false;
  return {
    egressOnlyGatewayId: found.EgressOnlyInternetGatewayId,
    gatewayId: isEndpoint ? undefined : found.GatewayId,
    natGatewayId: found.NatGatewayId,
    networkInterfaceId: found.NetworkInterfaceId,
    transitGatewayId: found.TransitGatewayId,
    vpcEndpointId: isEndpoint ? found.GatewayId : undefined,
    vpcPeeringConnectionId: found.VpcPeeringConnectionId,
  };
}

export function sameTarget(one: Target, other: Target): boolean {
  return targets.every((key) => (one[key] ?? "") === (other[key] ?? ""));
}

/** Finds a route by any form of destination: an IPv4 or IPv6 block, or a prefix list. */
export function destinationRequest(destination: string) {
  if (destination.startsWith("pl-")) return { DestinationPrefixListId: destination };
  if (destination.includes(":")) return { DestinationIpv6CidrBlock: destination };
  return { DestinationCidrBlock: destination };
}

export function destinationOf(found: Route): string | undefined {
  return found.DestinationCidrBlock ?? found.DestinationIpv6CidrBlock ?? found.DestinationPrefixListId;
}

export async function findRouteTable(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }));
  return (await unless(["InvalidRouteTableID.NotFound"], call))?.RouteTables?.[0];
}

export async function findRoute(cloud: Cloud, tableId: string, destination: string): Promise<Route | undefined> {
  const table = await findRouteTable(cloud, tableId);
  return table?.Routes?.find((route) => destinationOf(route) === destination);
}

/** Neither the network's own route nor one that a gateway announces or an endpoint made. */
export function isOwnRoute({ GatewayId, Origin, DestinationPrefixListId }: Route): boolean {
  if (GatewayId === "local" || Origin === "EnableVgwRoutePropagation") return false;
  return DestinationPrefixListId === undefined || !GatewayId?.startsWith("vpce-");
}
