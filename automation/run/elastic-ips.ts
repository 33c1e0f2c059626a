import { type Config, ConfigError } from "../../stacks/config.ts";
import { newlyNamed, whyNot } from "../../stacks/named-addresses.ts";
import type { LastOutputs } from "../../stacks/outputs.ts";
import type { Aws } from "../cloud/aws.ts";
import type { Quotas } from "../cloud/quotas.ts";

/** The facts by which a site's Elastic IPs are judged. */
export interface AskedAddresses {
  /** See `siteName`. */
  readonly site: string;
  readonly region: string;
  readonly config: Pick<Config, "site">;
  readonly last: LastOutputs | undefined;
  readonly aws: {
    readonly elasticIps: Pick<Aws["elasticIps"], "named" | "serversOf" | "allocated" | "publicPool" | "ipamPool">;
    readonly quotas: Pick<Quotas, "limit">;
  };
}

const key = "handover:site.elasticIps";

/** https://docs.aws.amazon.com/general/latest/gr/ec2-service.html */
export const addressQuota = { service: "ec2", code: "L-0263D0A3" };

/**
 * How many addresses the next update would allocate.
 * @param ofSite those that are there: an update that was cut off may have allocated some. Default: as the last update left it
 */
export function toAllocate({ site }: Pick<Config, "site">, last: LastOutputs | undefined, ofSite = 0): number {
  const { count, allocationIds } = site.elasticIps;
  if (allocationIds !== undefined) return 0;
  return Math.max(0, count - Math.max(ofSite, last?.outputs.addresses.length ?? 0));
}

/**
 * The site's Elastic IPs can be had: those that the file names are there and nobody else's, and AWS would give out what is
 * missing. Asked before anything is created.
 * @throws ConfigError (exit 1)
 */
export async function checkElasticIps(asked: AskedAddresses, signal: AbortSignal): Promise<void> {
  const problems = [...(await namedProblems(asked, signal)), ...(await poolProblems(asked, signal))];
  if (problems.length > 0) throw new ConfigError(problems);
}

async function namedProblems({ site, config, last, aws }: AskedAddresses, signal: AbortSignal): Promise<string[]> {
  const ids = newlyNamed(config, last);
  if (ids.length === 0) return [];
  const found = await aws.elasticIps.named(ids, signal);
  const holders = [...found.values()].flatMap(({ holder = "" }) => (holder.startsWith("i-") ? [holder] : []));
  const ours = await aws.elasticIps.serversOf(site, holders, signal);
  return ids.flatMap((id) => whyNot(id, found.get(id), ours.get(found.get(id)?.holder ?? "")) ?? []);
}

async function poolProblems(asked: AskedAddresses, signal: AbortSignal): Promise<string[]> {
  const { site, config, last, region, aws } = asked;
  if (toAllocate(config, last) === 0) return [];
  const { counted, ofSite } = await aws.elasticIps.allocated(site, signal);
  const more = toAllocate(config, last, ofSite);
  if (more === 0) return [];
  const { publicIpv4Pool, ipamPoolId } = config.site.elasticIps;
  if (publicIpv4Pool === undefined && ipamPoolId === undefined) return quotaProblems(asked, counted, more, signal);
  const [name, id, pool] =
    publicIpv4Pool === undefined
      ? (["ipamPoolId", ipamPoolId, await aws.elasticIps.ipamPool(ipamPoolId ?? "", signal)] as const)
      : (["publicIpv4Pool", publicIpv4Pool, await aws.elasticIps.publicPool(publicIpv4Pool, signal)] as const);
  const list = name === "ipamPoolId" ? "describe-ipam-pools" : "describe-public-ipv4-pools";
  const path = `${key}.${name}: ${id}`;
  if (pool === undefined)
    return [
      `${path} does not exist in this region, or is not shared with this account; list yours with: aws ec2 ${list}`,
    ];
  const { free, region: of = region, unfit } = pool;
  if (unfit !== undefined) return [`${path} gives out no Elastic IPs: ${unfit}; choose one of: aws ec2 ${list}`];
  if (of !== region)
    return [`${path} gives out addresses in ${of}, and the site is in ${region}; choose one of: aws ec2 ${list}`];
  if (free >= more) return [];
  return [
    `${path} has ${free} free addresses, and ${more} more are needed; provision more there, or choose another pool`,
  ];
}

/** AWS refuses what is above the quota (AddressLimitExceeded). Where nobody may ask for it, the call itself finds out. */
async function quotaProblems(
  { aws }: AskedAddresses,
  used: number,
  more: number,
  signal: AbortSignal,
): Promise<string[]> {
  const limit = await aws.quotas.limit(addressQuota, signal);
  if (limit === undefined) return [];
  if (used + more <= limit) return [];
  const { service, code } = addressQuota;
  return [
    `${key}: ${used} of the account's ${limit} Elastic IPs are used, and ${more} more are needed; release what nobody uses, or ask for more: aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${used + more}`,
  ];
}
