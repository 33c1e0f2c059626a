import { CreateRouteTableCommand, DeleteRouteTableCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { unless } from "../errors.ts";
import { map, string } from "../fields.ts";
import { resource } from "../resource.ts";
import { tagMap, tagSpecifications, updateTags } from "../tags.ts";
import { insist } from "../wait.ts";
import { findRouteTable } from "./route.ts";

export const routeTable = resource<aws.ec2.RouteTable, aws.ec2.RouteTableArgs>({
  token: "aws:ec2/routeTable:RouteTable",
  fields: { tags: map(), vpcId: string({ required: true, replace: true }) },
  computed: { arn: true, ownerId: true },

  async create(inputs, { cloud, created }) {
    const { RouteTable } = await cloud.ec2.send(
      new CreateRouteTableCommand({
        VpcId: inputs.vpcId,
        TagSpecifications: tagSpecifications("route-table", inputs.tags),
      }),
    );
    const id = RouteTable?.RouteTableId ?? "";
    created(id);
    return id;
  },

  async read({ id, cloud, state }) {
    const found = await findRouteTable(cloud, id);
    if (found === undefined) return undefined;
    const ownerId = found.OwnerId ?? "";
    return {
      arn: `arn:aws:ec2:${cloud.region}:${ownerId}:route-table/${id}`,
      ownerId,
      propagatingVgws: (found.PropagatingVgws ?? []).map(({ GatewayId = "" }) => GatewayId),
      // Routes are resources of their own here.
      routes: state.routes ?? [],
      tags: tagMap(found.Tags),
      vpcId: found.VpcId ?? "",
    };
  },

  async update({ cloud, id, olds, news }) {
    await updateTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 300 }) {
    const command = new DeleteRouteTableCommand({ RouteTableId: id });
    const gone = () => unless(["InvalidRouteTableID.NotFound"], cloud.ec2.send(command));
    await insist(["DependencyViolation"], gone, { timeoutSeconds, signal });
  },
});
