import {
  AssociateRouteTableCommand,
  DescribeRouteTablesCommand,
  DisassociateRouteTableCommand,
  type RouteTableAssociation,
} from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { unless } from "../errors.ts";
import { string } from "../fields.ts";
import { resource } from "../resource.ts";
import { insist, waitUntilThere } from "../wait.ts";

export const routeTableAssociation = resource<aws.ec2.RouteTableAssociation, aws.ec2.RouteTableAssociationArgs>({
  token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  fields: {
    routeTableId: string({ required: true, replace: true }),
    subnetId: string({ required: true, replace: true }),
  },
  computed: {},
  // The official plugin changes the table in place, and a subnet has one association at a time.
  deleteBeforeReplace: true,

  async create(inputs, { cloud, created, signal, timeoutSeconds = 300 }) {
    const command = new AssociateRouteTableCommand({ RouteTableId: inputs.routeTableId, SubnetId: inputs.subnetId });
    // AWS answers a repetition with the association that exists.
    const call = () => cloud.ec2.send(command);
    const { AssociationId = "" } = await insist(["InvalidRouteTableID.NotFound"], call, { timeoutSeconds: 60, signal });
    created(AssociationId);
    await waitUntilThere(() => find(cloud, AssociationId), {
      what: `Route Table Association (${AssociationId})`,
      timeoutSeconds,
      signal,
    });
    return AssociationId;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    return found && { gatewayId: found.GatewayId, routeTableId: found.RouteTableId ?? "", subnetId: found.SubnetId };
  },

  async delete({ id, cloud }) {
    const command = new DisassociateRouteTableCommand({ AssociationId: id });
    await unless(["InvalidAssociationID.NotFound"], cloud.ec2.send(command));
  },

  /** `SUBNET/ROUTETABLE` */
  async importId(id, { cloud }) {
    const [subnetId = "", routeTableId = ""] = id.split("/");
    const filters = [
      { Name: "association.subnet-id", Values: [subnetId] },
      { Name: "route-table-id", Values: [routeTableId] },
    ];
    const associations = await associationsOf(cloud, filters);
    return { id: associations.find(({ SubnetId }) => SubnetId === subnetId)?.RouteTableAssociationId ?? "" };
  },
});

async function find(cloud: Cloud, id: string): Promise<RouteTableAssociation | undefined> {
  const filters = [{ Name: "association.route-table-association-id", Values: [id] }];
  const associations = await associationsOf(cloud, filters);
  return associations.find(({ RouteTableAssociationId }) => RouteTableAssociationId === id);
}

async function associationsOf(cloud: Cloud, Filters: { Name: string; Values: string[] }[]) {
  const { RouteTables = [] } = await cloud.ec2.send(new DescribeRouteTablesCommand({ Filters }));
  return RouteTables.flatMap(({ Associations = [] }) => Associations);
}
