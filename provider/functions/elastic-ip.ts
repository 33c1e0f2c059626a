import type * as aws from "@pulumi/aws";
import { string } from "../fields.ts";
import { findAddress } from "../resources/eip.ts";
import { tagMap } from "../tags.ts";
import { providerFunction } from "./function.ts";

/** An Elastic IP, as far as the program asks. */
type ElasticIpResult = Pick<
  aws.ec2.GetElasticIpResult,
  | "id"
  | "publicIp"
  | "domain"
  | "associationId"
  | "instanceId"
  | "networkInterfaceId"
  | "privateIp"
  | "publicIpv4Pool"
  | "tags"
>;

export const getElasticIp = providerFunction<aws.ec2.GetElasticIpArgs, ElasticIpResult>({
  fields: { id: string({ required: true }) },

  async invoke({ id = "" }, cloud) {
    const found = await findAddress(cloud, "allocation-id", id);
    if (found === undefined) throw new Error("no matching EC2 EIP found");
    return {
      id,
      publicIp: found.PublicIp ?? "",
      domain: found.Domain ?? "vpc",
      associationId: found.AssociationId ?? "",
      instanceId: found.InstanceId ?? "",
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      privateIp: found.PrivateIpAddress ?? "",
      publicIpv4Pool: found.PublicIpv4Pool ?? "",
      tags: tagMap(found.Tags) ?? {},
    };
  },
});
