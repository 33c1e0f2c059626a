import { DescribeRouteTablesCommand, type Route, type RouteTableAssociation } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { map, string } from "../fields.ts";
import { describeTarget, isOwnRoute } from "../resources/routing.ts";
import { tagMap } from "../tags.ts";
import { filters } from "./availability-zones.ts";
import { filterList } from "./filters.ts";
import { providerFunction } from "./function.ts";

/** Finds a subnet's table only where the subnet is associated with one, as the official plugin: the main table is implied. */
export const getRouteTable = providerFunction<aws.ec2.GetRouteTableArgs, aws.ec2.GetRouteTableResult>({
  fields: {
    filters,
    gatewayId: string(),
    routeTableId: string(),
    subnetId: string(),
    tags: map(),
    vpcId: string(),
  },

  async invoke(args, { ec2, region }) {
    const Filters = filterList(args, {
      "association.gateway-id": args.gatewayId,
      "association.subnet-id": args.subnetId,
      "route-table-id": args.routeTableId,
      "vpc-id": args.vpcId,
    });
    if (Filters === undefined) {
      throw new Error("one of route_table_id, vpc_id, subnet_id, gateway_id, filters, or tags must be assigned");
    }
    const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
    const [found, another] = RouteTables;
    if (found === undefined) {
      throw new Error("query returned no results. Please change your search criteria and try again");
    }
    if (another !== undefined) {
      throw new Error(
        "multiple Route Tables matched; use additional constraints to reduce matches to a single Route Table",
      );
    }
    const { RouteTableId: id = "", OwnerId: ownerId = "" } = found;
    return {
      arn: `arn:aws:ec2:${region}:${ownerId}:route-table/${id}`,
      associations: (found.Associations ?? []).map(describeAssociation),
      gatewayId: args.gatewayId ?? "",
      id,
      ownerId,
      routeTableId: id,
      routes: (found.Routes ?? []).filter(isOwnRoute).map(describeRoute),
      subnetId: args.subnetId ?? "",
      tags: tagMap(found.Tags) ?? {},
      vpcId: found.VpcId ?? "",
    };
  },
});

function describeAssociation(found: RouteTableAssociation): aws.types.output.ec2.GetRouteTableAssociation {
  return {
    gatewayId: found.GatewayId ?? "",
    main: found.Main ?? false,
    routeTableAssociationId: found.RouteTableAssociationId ?? "",
    routeTableId: found.RouteTableId ?? "",
    subnetId: found.SubnetId ?? "",
  };
}

function describeRoute(found: Route): aws.types.output.ec2.GetRouteTableRoute {
  const target = describeTarget(found);
  return {
    carrierGatewayId: found.CarrierGatewayId ?? "",
    cidrBlock: found.DestinationCidrBlock ?? "",
    coreNetworkArn: found.CoreNetworkArn ?? "",
    destinationPrefixListId: found.DestinationPrefixListId ?? "",
    egressOnlyGatewayId: target.egressOnlyGatewayId ?? "",
    gatewayId: target.gatewayId ?? "",
    instanceId: found.InstanceId ?? "",
    ipv6CidrBlock: found.DestinationIpv6CidrBlock ?? "",
    localGatewayId: found.LocalGatewayId ?? "",
    natGatewayId: target.natGatewayId ?? "",
    networkInterfaceId: target.networkInterfaceId ?? "",
    odbNetworkArn: found.OdbNetworkArn ?? "",
    transitGatewayId: target.transitGatewayId ?? "",
    vpcEndpointId: target.vpcEndpointId ?? "",
    vpcPeeringConnectionId: target.vpcPeeringConnectionId ?? "",
  };
}
