import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SiteConfig } from "./config.ts";
import { type WayOut, wayOutBy } from "./way-out.ts";

/**
 * Whether new servers get a public address of their own, for each of the frontends' subnets: where only that leads to the
 * Internet. A network of ours has one way out, its internet gateway.
 */
export async function publicAddresses(network: SiteConfig["network"]): Promise<readonly boolean[]> {
  const { egress, cidrBlock, vpcId = "", subnetIds = [], frontendSubnetIds = subnetIds } = network;
  if (cidrBlock !== undefined || egress === "none") return [egress !== "none"];
  const ways = await Promise.all(frontendSubnetIds.map((id) => wayOutOf(id, vpcId)));
  return ways.map((way) => way === "public address");
}

const known = new Map<string, Promise<WayOut | undefined>>();

/** A subnet's way out, read once in a process; undefined where it cannot be read, which the driver refuses before a run. */
function wayOutOf(subnetId: string, vpcId: string): Promise<WayOut | undefined> {
  const read = known.get(subnetId) ?? readWayOut(subnetId, vpcId);
  known.set(subnetId, read);
  return read.catch(async (error) => {
    known.delete(subnetId);
    const then = "new servers get no public address there";
    await pulumi.log.warn(`The routes of ${subnetId} cannot be read, so ${then}: ${error}`);
    return undefined;
  });
}

/** A subnet without a route table of its own has the VPC's main one: https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html */
async function readWayOut(subnetId: string, vpcId: string): Promise<WayOut> {
  const main = { vpcId, filters: [{ name: "association.main", values: ["true"] }] };
  const { routes } = await aws.ec2.getRouteTable({ subnetId }).catch(() => aws.ec2.getRouteTable(main));
  return wayOutBy(
    routes.map(({ cidrBlock, ipv6CidrBlock, destinationPrefixListId: _, ...targets }) => ({
      destination: cidrBlock || ipv6CidrBlock || undefined,
      target: Object.values(targets).find((id) => id !== ""),
    })),
  );
}
