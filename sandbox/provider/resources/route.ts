import { crc32 } from "node:zlib";
import {
  CreateRouteCommand,
  DeleteRouteCommand,
  DescribeRouteTablesCommand,
  ReplaceRouteCommand,
  type Route,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { string } from "../fields.ts";
import { resource } from "../resource.ts";
import { insist, waitFor } from "../wait.ts";

export const route = resource<aws.ec2.Route, aws.ec2.RouteArgs>({
  token: "aws:ec2/route:Route",
  fields: {
    destinationCidrBlock: string({ required: true, replace: true }),
    gatewayId: string(),
    natGatewayId: string(),
    networkInterfaceId: string({ computed: true }),
    routeTableId: string({ required: true, replace: true }),
  },
  exactlyOne: ["gatewayId", "natGatewayId", "networkInterfaceId"],
  computed: { instanceId: true, instanceOwnerId: true, origin: true, state: true },

  async create(inputs, { cloud, created, signal, timeoutSeconds = 300 }) {
    const { routeTableId, destinationCidrBlock = "" } = inputs;
    const existing = await find(cloud, routeTableId, destinationCidrBlock);
    if (existing !== undefined && existing.Origin !== "CreateRoute") {
      throw new Error(`${routeTableId} has a route to ${destinationCidrBlock} already, which is the network's own.`);
    }
    // A creation that is repeated after a crash finds its own route; any other owner's is not to be taken over.
    const isOwn = existing !== undefined && existing.GatewayId === inputs.gatewayId;
    if (!isOwn) {
      const command = new CreateRouteCommand({
        RouteTableId: routeTableId,
        DestinationCidrBlock: destinationCidrBlock,
        ...target(inputs),
      });
      await insist(["InvalidGatewayID.NotFound", "InvalidParameterException"], () => cloud.ec2.send(command), {
        timeoutSeconds: 60,
        signal,
      });
    }
    const id = idOf(routeTableId, destinationCidrBlock);
    created(id);
    await waitFor(async () => ((await find(cloud, routeTableId, destinationCidrBlock))?.State ? true : undefined), {
      what: `${id} to be there`,
      timeoutSeconds,
      signal,
    });
    return id;
  },

  async read({ cloud, state }) {
    const { routeTableId = "", destinationCidrBlock = "" } = state;
    const found = await find(cloud, routeTableId, destinationCidrBlock);
    if (found === undefined) return undefined;
    return {
      destinationCidrBlock: found.DestinationCidrBlock,
      gatewayId: found.GatewayId,
      instanceId: found.InstanceId ?? "",
      instanceOwnerId: found.InstanceOwnerId ?? "",
      natGatewayId: found.NatGatewayId,
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      origin: found.Origin ?? "",
      routeTableId,
      state: found.State ?? "",
    };
  },

  async update({ cloud, news }) {
    await cloud.ec2.send(
      new ReplaceRouteCommand({
        RouteTableId: news.routeTableId,
        DestinationCidrBlock: news.destinationCidrBlock,
        ...target(news),
      }),
    );
  },

  async delete({ cloud, state }) {
    const command = new DeleteRouteCommand({
      RouteTableId: state.routeTableId,
      DestinationCidrBlock: state.destinationCidrBlock,
    });
    await unless(["InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"], cloud.ec2.send(command));
  },

  /** `ROUTETABLE_DESTINATION` */
  async importId(id) {
    const [routeTableId = "", destination = ""] = id.split("_");
    return { id: idOf(routeTableId, destination), routeTableId, destinationCidrBlock: destination };
  },
});

interface Target {
  readonly gatewayId?: string;
  readonly natGatewayId?: string;
  readonly networkInterfaceId?: string;
}

function target({ gatewayId, natGatewayId, networkInterfaceId }: Target) {
  return { GatewayId: gatewayId, NatGatewayId: natGatewayId, NetworkInterfaceId: networkInterfaceId };
}

export async function findRouteTable(cloud: Cloud, id: string) {
  const call = cloud.ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }));
  return (await unless(["InvalidRouteTableID.NotFound"], call))?.RouteTables?.[0];
}

async function find(cloud: Cloud, routeTableId: string, destination: string): Promise<Route | undefined> {
  const table = await findRouteTable(cloud, routeTableId);
  return table?.Routes?.find(({ DestinationCidrBlock }) => DestinationCidrBlock === destination);
}

/** The official plugin's, which hashes the destination as CRC-32. */
function idOf(routeTableId: string, destination: string): string {
  return `r-${routeTableId}${crc32(destination)}`;
}
