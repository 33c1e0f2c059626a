import * as aws from "@pulumi/aws";
import type { Config } from "./config.ts";
import type { LastOutputs } from "./outputs.ts";

/** An Elastic IP that the file names: the stack uses it, and neither allocated it nor ever releases it. */
export interface NamedAddress {
  readonly allocationId: string;
  readonly publicIp: string;
}

/** An address as AWS shows it. */
export interface Found extends NamedAddress {
  readonly domain: string;
  /** Id of the server or network interface that has it; undefined where it is free. */
  readonly holder: string | undefined;
  /** The private address that it stands for. */
  readonly privateIp: string | undefined;
}

/** The allocation ids in the file that the site did not have at its last update. */
export function newlyNamed({ site }: Pick<Config, "site">, last: LastOutputs | undefined): readonly string[] {
  const held = new Set(last?.outputs.addresses.map(({ allocationId }) => allocationId));
  return (site.elasticIps.allocationIds ?? []).filter((id) => !held.has(id));
}

/**
 * Why an address cannot be the site's; undefined when it can.
 * @param firstPrivateIp of its holder, where that is one of the site's servers: an update that was cut off may have given it to one
 */
export function whyNot(
  allocationId: string,
  found: Found | undefined,
  firstPrivateIp: string | undefined,
): string | undefined {
  const key = "handover:site.elasticIps";
  if (found === undefined)
    return `${key}: ${allocationId} does not exist in this region, or belongs to another account; list yours with: aws ec2 describe-addresses`;
  const { publicIp, domain, holder, privateIp } = found;
  if (domain !== "vpc")
    return `${key}: ${allocationId} (${publicIp}) is for ${domain}, and servers are in a VPC; name one of the domain vpc`;
  if (holder === undefined || (firstPrivateIp !== undefined && firstPrivateIp === privateIp)) return undefined;
  if (firstPrivateIp !== undefined)
    return `${key}: ${allocationId} (${publicIp}) is associated with ${privateIp} of ${holder}, and a server of the site has one on its first private address, ${firstPrivateIp}. Free it first: aws ec2 disassociate-address --public-ip ${publicIp}`;
  return `${key}: ${allocationId} (${publicIp}) is associated with ${holder}, which is no server of this site, and would be taken from it. Name another one, or, where nobody uses it there: aws ec2 disassociate-address --public-ip ${publicIp}`;
}

/**
 * The address at each place of the site: undefined where the stack allocates it, or did so before the file named it.
 * @param site see `siteName`
 */
export async function namedAddresses(
  config: Pick<Config, "site">,
  last: LastOutputs | undefined,
  site: string,
): Promise<{ readonly addresses: readonly (NamedAddress | undefined)[]; readonly problems: readonly string[] }> {
  const fresh = newlyNamed(config, last);
  const found = new Map(await Promise.all(fresh.map(async (id) => [id, await find(id)] as const)));
  const problems = await Promise.all(
    [...found].map(async ([id, each]) => whyNot(id, each, await firstPrivateIpOf(site, each?.holder))),
  );
  const held = new Map(last?.outputs.addresses.map((address) => [address.allocationId, address]));
  const addresses = (config.site.elasticIps.allocationIds ?? []).map((allocationId) => {
    const known = held.get(allocationId);
    if (known !== undefined && !known.named) return undefined;
    return { allocationId, publicIp: known?.publicIp ?? found.get(allocationId)?.publicIp ?? "" };
  });
  return { addresses, problems: problems.filter((problem) => problem !== undefined) };
}

/** The plugin does not say of an error what it is. */
async function find(id: string): Promise<Found | undefined> {
  const found = await aws.ec2.getElasticIp({ id }).catch((error: Error) => {
    if (/no matching|not found|NotFound/i.test(error.message)) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const { publicIp, domain, associationId, instanceId, networkInterfaceId, privateIp } = found;
  const holder = [instanceId, networkInterfaceId, associationId].find((each) => each !== "");
  return { allocationId: id, publicIp, domain, holder, privateIp };
}

/** Undefined for what is no server of the site. */
async function firstPrivateIpOf(site: string, holder: string | undefined): Promise<string | undefined> {
  if (!holder?.startsWith("i-")) return undefined;
  const filters = [
    { name: "instance-id", values: [holder] },
    { name: "tag:handover:site", values: [site] },
  ];
  return (await aws.ec2.getInstances({ filters, instanceStateNames: ["pending", "running"] })).privateIps[0];
}
