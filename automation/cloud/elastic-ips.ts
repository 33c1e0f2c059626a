import {
  type Address,
  DescribeAddressesCommand,
  DescribeIpamPoolsCommand,
  DescribePublicIpv4PoolsCommand,
  type EC2Client,
  paginateDescribeInstances,
  paginateGetIpamPoolAllocations,
  paginateGetIpamPoolCidrs,
} from "@aws-sdk/client-ec2";
import type { Found } from "../../stacks/named-addresses.ts";
import { absentSeconds, foundInTime } from "./absence.ts";
import { isNotFound } from "./not-found.ts";

/** A pool of public addresses, as AWS shows it. */
export interface Pool {
  readonly free: number;
  /** The only region in which it gives addresses out. Default: this one. */
  readonly region?: string | undefined;
  /** Why it gives none out at all. Default: it does. */
  readonly unfit?: string | undefined;
}

const siteTag = "handover:site";

/** Asks AWS about Elastic IPs, and where others would come from. */
export class ElasticIps {
  readonly #ec2: EC2Client;

  constructor(ec2: EC2Client) {
    this.#ec2 = ec2;
  }

  /** By allocation id; one that does not exist is missing. They may be new: AWS is asked again. */
  async named(ids: readonly string[], abortSignal?: AbortSignal): Promise<ReadonlyMap<string, Found>> {
    let found = new Map<string, Found>();
    const all = async () => {
      // An id that does not exist would be an error of the call, which tells of one id alone.
      const Filters = [{ Name: "allocation-id", Values: [...ids] }];
      const { Addresses = [] } = await this.#ec2.send(new DescribeAddressesCommand({ Filters }), { abortSignal });
      found = new Map(Addresses.map((address) => [address.AllocationId ?? "", asFound(address)]));
      return ids.every((id) => found.has(id)) ? found : undefined;
    };
    await foundInTime(all, absentSeconds, abortSignal);
    return found;
  }

  /** The first private address of each of some servers, by id, where it is a site's, by its tag. */
  async serversOf(
    site: string,
    instanceIds: readonly string[],
    abortSignal?: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    if (instanceIds.length === 0) return new Map();
    const Filters = [
      { Name: `tag:${siteTag}`, Values: [site] },
      { Name: "instance-id", Values: [...instanceIds] },
    ];
    const found = new Map<string, string>();
    const pages = paginateDescribeInstances({ client: this.#ec2 }, { Filters }, { abortSignal });
    for await (const { Reservations = [] } of pages)
      for (const { InstanceId = "", PrivateIpAddress = "" } of Reservations.flatMap(({ Instances = [] }) => Instances))
        found.set(InstanceId, PrivateIpAddress);
    return found;
  }

  /** How many addresses the account has that count for its quota (those that were brought to AWS do not), and a site, by its tag. */
  async allocated(
    site: string,
    abortSignal?: AbortSignal,
  ): Promise<{ readonly counted: number; readonly ofSite: number }> {
    const { Addresses = [] } = await this.#ec2.send(new DescribeAddressesCommand({}), { abortSignal });
    const counted = Addresses.filter(({ PublicIpv4Pool = "amazon" }) => PublicIpv4Pool === "amazon");
    const own = Addresses.filter(({ Tags = [] }) => Tags.some((tag) => tag.Key === siteTag && tag.Value === site));
    return { counted: counted.length, ofSite: own.length };
  }

  /** A pool of addresses that were brought to AWS; undefined where there is none. */
  async publicPool(id: string, abortSignal?: AbortSignal): Promise<Pool | undefined> {
    const ask = () => this.#ec2.send(new DescribePublicIpv4PoolsCommand({ PoolIds: [id] }), { abortSignal });
    const { PublicIpv4Pools: [pool] = [] } = await orNothing(ask);
    return pool && { free: pool.TotalAvailableAddressCount ?? 0 };
  }

  /** A pool of the VPC's IP Address Manager; undefined where there is none. */
  async ipamPool(id: string, abortSignal?: AbortSignal): Promise<Pool | undefined> {
    const ask = () => this.#ec2.send(new DescribeIpamPoolsCommand({ IpamPoolIds: [id] }), { abortSignal });
    const { IpamPools: [pool] = [] } = await orNothing(ask);
    if (pool === undefined) return undefined;
    const { AddressFamily, IpamScopeType, Locale } = pool;
    if (IpamScopeType !== undefined && IpamScopeType !== "public")
      return { free: 0, unfit: `it is in a ${IpamScopeType} scope` };
    if (AddressFamily !== undefined && AddressFamily !== "ipv4")
      return { free: 0, unfit: `it is for ${AddressFamily}` };
    let free = 0;
    const [client, asked] = [this.#ec2, { IpamPoolId: id }];
    for await (const { IpamPoolCidrs = [] } of paginateGetIpamPoolCidrs({ client }, asked, { abortSignal }))
      for (const { Cidr, State } of IpamPoolCidrs) if (State === "provisioned") free += sizeOf(Cidr);
    for await (const { IpamPoolAllocations = [] } of paginateGetIpamPoolAllocations({ client }, asked, { abortSignal }))
      for (const { Cidr } of IpamPoolAllocations) free -= sizeOf(Cidr);
    return { free, region: Locale };
  }
}

function asFound(address: Address): Found {
  const { AllocationId: allocationId = "", PublicIp: publicIp = "", Domain: domain = "" } = address;
  const holder = [address.InstanceId, address.NetworkInterfaceId, address.AssociationId].find(Boolean);
  return { allocationId, publicIp, domain, holder, privateIp: address.PrivateIpAddress };
}

async function orNothing<T>(ask: () => Promise<T>): Promise<Partial<T>> {
  try {
    return await ask();
  } catch (error) {
    if (isNotFound(error)) return {};
    throw error;
  }
}

/** Number of addresses in a block of IPv4. */
function sizeOf(cidr = "0.0.0.0/32"): number {
  return 2 ** (32 - Number(cidr.split("/")[1]));
}
