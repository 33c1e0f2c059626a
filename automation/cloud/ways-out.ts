import {
  DescribeRouteTablesCommand,
  type EC2Client,
  type Filter,
  type Instance,
  paginateDescribeInstances,
  type Route,
  type RouteTable,
} from "@aws-sdk/client-ec2";
import { type WayOut, wayOutBy } from "../../stacks/way-out.ts";
import { chunks } from "./chunks.ts";

/** A server's way to the Internet at this moment. */
export interface ServerWayOut {
  readonly subnetId: string;
  readonly byRoutes: WayOut;
  /** Its Elastic IP, or the address that AWS assigned; undefined where it has none at the moment. */
  readonly publicIp: string | undefined;
  /** Whether it can reach the Internet. */
  readonly isOpen: boolean;
}

/** A subnet, as far as its route table depends on it. */
export interface InVpc {
  readonly subnetId: string;
  readonly vpcId: string;
}

/** Asks AWS which servers can reach the Internet, and how. */
export class WaysOut {
  readonly #ec2: EC2Client;

  constructor(ec2: EC2Client) {
    this.#ec2 = ec2;
  }

  /** By instance id; one that AWS does not show is missing. */
  async ofServers(
    instanceIds: readonly string[],
    abortSignal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ServerWayOut>> {
    const found = (await Promise.all(chunks(instanceIds, 200).map((ids) => this.#servers(ids, abortSignal)))).flat();
    const places = found.map(({ SubnetId: subnetId = "", VpcId: vpcId = "" }) => ({ subnetId, vpcId }));
    const ways = await this.ofSubnets(places, abortSignal);
    return new Map(
      found.map(({ InstanceId = "", SubnetId: subnetId = "", PublicIpAddress }) => {
        const byRoutes = ways.get(subnetId) ?? "none";
        const publicIp = PublicIpAddress || undefined;
        const isOpen = byRoutes === "no address" || (byRoutes === "public address" && publicIp !== undefined);
        return [InstanceId, { subnetId, byRoutes, publicIp, isOpen }];
      }),
    );
  }

  async #servers(ids: string[], abortSignal?: AbortSignal): Promise<Instance[]> {
    const found: Instance[] = [];
    const Filters = [{ Name: "instance-id", Values: ids }];
    const pages = paginateDescribeInstances({ client: this.#ec2 }, { Filters }, { abortSignal });
    for await (const { Reservations = [] } of pages)
      found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
    return found;
  }

  /** By subnet id. A subnet without a route table of its own has its VPC's main one. */
  async ofSubnets(subnets: readonly InVpc[], abortSignal?: AbortSignal): Promise<ReadonlyMap<string, WayOut>> {
    if (subnets.length === 0) return new Map();
    const unique = (values: readonly string[]) => [...new Set(values)];
    const [own, main] = await Promise.all([
      this.#tables(
        [{ Name: "association.subnet-id", Values: unique(subnets.map(({ subnetId }) => subnetId)) }],
        abortSignal,
      ),
      this.#tables(
        [
          { Name: "vpc-id", Values: unique(subnets.map(({ vpcId }) => vpcId)) },
          { Name: "association.main", Values: ["true"] },
        ],
        abortSignal,
      ),
    ]);
    return new Map(
      subnets.map(({ subnetId, vpcId }) => {
        const isOfSubnet = ({ Associations = [] }: RouteTable) =>
          Associations.some((each) => each.SubnetId === subnetId);
        const table = own.find(isOfSubnet) ?? main.find(({ VpcId }) => VpcId === vpcId);
        return [subnetId, wayOutBy((table?.Routes ?? []).map(factsOf))];
      }),
    );
  }

  async #tables(Filters: Filter[], abortSignal?: AbortSignal): Promise<RouteTable[]> {
    const { RouteTables = [] } = await this.#ec2.send(new DescribeRouteTablesCommand({ Filters }), { abortSignal });
    return RouteTables;
  }
}

/** Where its target is gone AWS shows a route as a black hole: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html */
function factsOf(route: Route) {
  const { DestinationCidrBlock, DestinationIpv6CidrBlock, State } = route;
  const target =
    route.GatewayId ??
    route.NatGatewayId ??
    route.TransitGatewayId ??
    route.NetworkInterfaceId ??
    route.InstanceId ??
    route.VpcPeeringConnectionId ??
    route.EgressOnlyInternetGatewayId ??
    route.LocalGatewayId ??
    route.CarrierGatewayId ??
    route.CoreNetworkArn;
  return {
    destination: DestinationCidrBlock ?? DestinationIpv6CidrBlock,
    target: State === "blackhole" ? undefined : target,
  };
}
