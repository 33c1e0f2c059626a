import {
  CreateRouteCommand,
  CreateRouteTableCommand,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DisassociateRouteTableCommand,
  ReplaceRouteCommand,
  type Route,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { map, object, set, string } from "../fields.ts";
import { type InputsOf, type Operation, resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist } from "../wait.ts";
import {
  describeTarget,
  destinationOf,
  destinationRequest,
  findRouteTable,
  isOwnRoute,
  sameTarget,
  targetRequest,
  targets,
} from "./routing.ts";

type Inputs = InputsOf<aws.ec2.RouteTableArgs>;
type RouteInput = NonNullable<Inputs["routes"]>[number];

export const routeTable = resource<aws.ec2.RouteTable, aws.ec2.RouteTableArgs>({
  token: "aws:ec2/routeTable:RouteTable",
  fields: {
    routes: set(
      object<aws.types.input.ec2.RouteTableRoute>({
        cidrBlock: string(),
        destinationPrefixListId: string(),
        egressOnlyGatewayId: string(),
        gatewayId: string(),
        ipv6CidrBlock: string(),
        natGatewayId: string(),
        networkInterfaceId: string(),
        transitGatewayId: string(),
        vpcEndpointId: string(),
        vpcPeeringConnectionId: string(),
      }),
      { computed: true },
    ),
    tags: map(),
    vpcId: string({ required: true, replace: true }),
  },
  computed: { arn: true, ownerId: true },

  async create(inputs, creation) {
    const { cloud, created } = creation;
    const { RouteTable } = await cloud.ec2.send(
      new CreateRouteTableCommand({
        VpcId: inputs.vpcId,
        TagSpecifications: tagSpecifications("route-table", inputs.tags),
      }),
    );
    const id = RouteTable?.RouteTableId ?? "";
    created(id);
    await changeRoutes(creation, id, [], inputs.routes);
    return id;
  },

  async read({ id, cloud, state }) {
    const found = await findRouteTable(cloud, id);
    if (found === undefined) return undefined;
    const ownerId = found.OwnerId ?? "";
    // A program that says no routes here has them as resources of their own.
    const isElsewhere = state.vpcId !== undefined && (state.routes ?? []).length === 0;
    return {
      arn: `arn:aws:ec2:${cloud.region}:${ownerId}:route-table/${id}`,
      ownerId,
      propagatingVgws: (found.PropagatingVgws ?? []).map(({ GatewayId = "" }) => GatewayId),
      routes: isElsewhere ? [] : (found.Routes ?? []).filter(isOwnRoute).map(describeRoute),
      tags: tagMap(found.Tags),
      vpcId: found.VpcId ?? "",
    };
  },

  async update(change) {
    const { cloud, id, olds, news, changed } = change;
    if (changed("routes")) await changeRoutes(change, id, olds.routes, news.routes);
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 300 }) {
    for (const { Main, RouteTableAssociationId: AssociationId } of (await findRouteTable(cloud, id))?.Associations ??
      []) {
      if (Main) continue;
      const command = new DisassociateRouteTableCommand({ AssociationId });
      await unless(["InvalidAssociationID.NotFound"], cloud.ec2.send(command));
    }
    const command = new DeleteRouteTableCommand({ RouteTableId: id });
    const gone = () => unless(["InvalidRouteTableID.NotFound"], cloud.ec2.send(command));
    await insist(["DependencyViolation"], gone, { timeoutSeconds, signal });
  },
});

function describeRoute(found: Route): RouteInput {
  return {
    ...describeTarget(found),
    cidrBlock: found.DestinationCidrBlock,
    destinationPrefixListId: found.DestinationPrefixListId,
    ipv6CidrBlock: found.DestinationIpv6CidrBlock,
  };
}

/** Replaces a changed route's target in one call, so that there is no gap. */
async function changeRoutes(
  { cloud, signal }: Operation,
  RouteTableId: string,
  olds: readonly RouteInput[] = [],
  news: readonly RouteInput[] = [],
): Promise<void> {
  for (const route of news) {
    checkRoute(route);
    const destination = destinationIn(route);
    const request = { RouteTableId, ...destinationRequest(destination), ...targetRequest(route) };
    const before = olds.find((old) => destinationIn(old) === destination);
    if (before !== undefined && sameTarget(before, route)) continue;
    const command = before === undefined ? new CreateRouteCommand(request) : new ReplaceRouteCommand(request);
    // A gateway may not be known everywhere right after its creation.
    const call = () => cloud.ec2.send(command as CreateRouteCommand);
    await insist(["InvalidGatewayID.NotFound", "InvalidParameterException"], call, { timeoutSeconds: 60, signal });
  }
  for (const old of olds) {
    const destination = destinationIn(old);
    if (news.some((route) => destinationIn(route) === destination)) continue;
    const command = new DeleteRouteCommand({ RouteTableId, ...destinationRequest(destination) });
    await unless(["InvalidRoute.NotFound"], cloud.ec2.send(command));
  }
}

function checkRoute(route: RouteInput): void {
  const destinations = [route.cidrBlock, route.ipv6CidrBlock, route.destinationPrefixListId].filter(Boolean);
  if (destinations.length === 1 && targets.filter((key) => route[key]).length === 1) return;
  throw new Error(`A route needs one destination and one target: ${JSON.stringify(route)}`);
}

function destinationIn({ cidrBlock, destinationPrefixListId, ipv6CidrBlock }: RouteInput): string {
  const found = { DestinationCidrBlock: cidrBlock, DestinationIpv6CidrBlock: ipv6CidrBlock };
  return destinationOf({ ...found, DestinationPrefixListId: destinationPrefixListId }) ?? "";
}
