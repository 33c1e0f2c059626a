import { crc32 } from "node:zlib";
import { CreateRouteCommand, DeleteRouteCommand, ReplaceRouteCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { string } from "../fields.ts";
import { type InputsOf, resource } from "../resource.ts";
import { insist, waitFor } from "../wait.ts";
import {
  describeTarget,
  destinationOf,
  destinationRequest,
  findRoute,
  sameTarget,
  targetRequest,
  targets,
} from "./routing.ts";

type Inputs = InputsOf<aws.ec2.RouteArgs>;

export const route = resource<aws.ec2.Route, aws.ec2.RouteArgs>({
  token: "aws:ec2/route:Route",
  fields: {
    destinationCidrBlock: string({ replace: true }),
    destinationIpv6CidrBlock: string({ replace: true }),
    destinationPrefixListId: string({ replace: true }),
    egressOnlyGatewayId: string(),
    gatewayId: string(),
    natGatewayId: string(),
    networkInterfaceId: string({ computed: true }),
    routeTableId: string({ required: true, replace: true }),
    transitGatewayId: string(),
    vpcEndpointId: string(),
    vpcPeeringConnectionId: string(),
  },
  exactlyOne: [["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"], targets],
  computed: { instanceId: true, instanceOwnerId: true, origin: true, state: true },

  async create(inputs, { cloud, created, signal, timeoutSeconds = 300 }) {
    const { routeTableId } = inputs;
    const destination = destinationIn(inputs);
    const existing = await findRoute(cloud, routeTableId, destination);
    if (existing !== undefined && existing.Origin !== "CreateRoute") {
      throw new Error(`${routeTableId} has a route to ${destination} already, which is the network's own.`);
    }
    // A creation that is repeated after a crash finds its own route; it must not take over another owner's.
    const isOwn = existing !== undefined && sameTarget(describeTarget(existing), inputs);
    if (!isOwn) {
      const command = new CreateRouteCommand({ RouteTableId: routeTableId, ...request(inputs) });
      await insist(["InvalidGatewayID.NotFound", "InvalidParameterException"], () => cloud.ec2.send(command), {
        timeoutSeconds: 60,
        signal,
      });
    }
    const id = idOf(routeTableId, destination);
    created(id);
    await waitFor(async () => ((await findRoute(cloud, routeTableId, destination))?.State ? true : undefined), {
      what: `${id} to be there`,
      timeoutSeconds,
      signal,
    });
    return id;
  },

  async read({ cloud, state }) {
    const { routeTableId = "" } = state;
    const found = await findRoute(cloud, routeTableId, destinationIn(state));
    if (found === undefined) return undefined;
    return {
      ...describeTarget(found),
      destinationCidrBlock: found.DestinationCidrBlock,
      destinationIpv6CidrBlock: found.DestinationIpv6CidrBlock,
      destinationPrefixListId: found.DestinationPrefixListId,
      instanceId: found.InstanceId ?? "",
      instanceOwnerId: found.InstanceOwnerId ?? "",
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      origin: found.Origin ?? "",
      routeTableId,
      state: found.State ?? "",
    };
  },

  async update({ cloud, news }) {
    await cloud.ec2.send(new ReplaceRouteCommand({ RouteTableId: news.routeTableId, ...request(news) }));
  },

  async delete({ cloud, state }) {
    const destination = destinationRequest(destinationIn(state));
    const command = new DeleteRouteCommand({ RouteTableId: state.routeTableId, ...destination });
    await unless(["InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"], cloud.ec2.send(command));
  },

  /** `ROUTETABLE_DESTINATION` */
  async importId(id) {
    const [routeTableId = "", destination = ""] = id.split("_");
    const { DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId } = {
      DestinationCidrBlock: undefined,
      DestinationIpv6CidrBlock: undefined,
      DestinationPrefixListId: undefined,
      ...destinationRequest(destination),
    };
    return {
      id: idOf(routeTableId, destination),
      routeTableId,
      destinationCidrBlock: DestinationCidrBlock,
      destinationIpv6CidrBlock: DestinationIpv6CidrBlock,
      destinationPrefixListId: DestinationPrefixListId,
    };
  },
});

type Destination = Pick<Inputs, "destinationCidrBlock" | "destinationIpv6CidrBlock" | "destinationPrefixListId">;

function destinationIn(inputs: Destination): string {
  const {
    destinationCidrBlock: DestinationCidrBlock,
    destinationIpv6CidrBlock: DestinationIpv6CidrBlock,
    destinationPrefixListId: DestinationPrefixListId,
  } = inputs;
  return destinationOf({ DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId }) ?? "";
}

function request(inputs: Inputs) {
  return { ...destinationRequest(destinationIn(inputs)), ...targetRequest(inputs) };
}

/** The official plugin's, which hashes the destination as CRC-32. */
function idOf(routeTableId: string, destination: string): string {
  return `r-${routeTableId}${crc32(destination)}`;
}
