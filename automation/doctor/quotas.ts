import { DescribeInstanceTypesCommand, EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client, paginateDescribeTargetGroups } from "@aws-sdk/client-elastic-load-balancing-v2";
import { type Config, entriesOf } from "../../stacks/config.ts";
import type { LastOutputs, Outputs } from "../../stacks/outputs.ts";
import type { Access } from "../cloud/access.ts";
import { briefly } from "../cloud/client-settings.ts";
import { ElasticIps } from "../cloud/elastic-ips.ts";
import { type Quota, Quotas } from "../cloud/quotas.ts";
import { addressQuota, toAllocate } from "../run/elastic-ips.ts";
import { type Finding, isDenied, ok, problem, reasonOf, skipped } from "./finding.ts";

/** A quota, what is used of it, and how much more a first deployment or the next upgrade takes. */
interface Need extends Quota {
  readonly what: string;
  readonly used: () => Promise<number>;
  readonly more: () => Promise<number>;
}

/** Whether the account has room for the servers, addresses and target groups of the next run. */
export async function checkQuotas(
  access: Access,
  config: Config,
  last: LastOutputs | undefined,
  site: string,
): Promise<Finding[]> {
  const outputs = last?.outputs;
  const ec2 = new EC2Client(briefly(access, "ec2", 3));
  const balancing = new ElasticLoadBalancingV2Client(briefly(access, "elbv2", 3));
  const quotas = new Quotas(access);
  const { publicIpv4Pool, ipamPoolId } = config.site.elasticIps;
  const addresses = new ElasticIps(ec2).allocated(site);
  // Whoever asks for it hears of it.
  addresses.catch(() => undefined);
  const needs: Need[] = [
    {
      what: "Elastic IPs",
      ...addressQuota,
      used: async () => (await addresses).counted,
      more: async () => ((publicIpv4Pool ?? ipamPoolId) ? 0 : toAllocate(config, last, (await addresses).ofSite)),
    },
    {
      what: "vCPUs of standard instances",
      service: "ec2",
      code: "L-1216C47A",
      used: () => runningVcpus(ec2),
      more: () => vcpusToLaunch(ec2, config, outputs),
    },
    {
      what: "target groups",
      service: "elasticloadbalancing",
      code: "L-B22855CB",
      used: () => targetGroups(balancing),
      more: async () => entriesOf(config.site).length,
    },
  ];
  try {
    return await Promise.all(needs.map((need) => check(quotas, need)));
  } finally {
    for (const client of [ec2, balancing]) client.destroy();
    quotas.close();
  }
}

async function check(quotas: Quotas, { what, service, code, used, more }: Need): Promise<Finding> {
  const name = `quota: ${what}`;
  try {
    const limit = await quotas.mustTell({ service, code });
    if (limit === undefined) return skipped(name, `Service Quotas does not tell ${service} ${code}`);
    return roomFor(what, { service, code, limit, used: await used(), more: await more() });
  } catch (error) {
    const why = isDenied(error) ? "it may not be asked for" : reasonOf(error);
    return skipped(name, `${why}; look at it with: aws service-quotas list-service-quotas --service-code ${service}`);
  }
}

export interface Room {
  readonly service: string;
  readonly code: string;
  readonly limit: number;
  readonly used: number;
  readonly more: number;
}

export function roomFor(what: string, { service, code, limit, used, more }: Room): Finding {
  const name = `quota: ${what}`;
  if (used + more <= limit) return ok(name, `${used} of ${limit} used, ${more} more needed`);
  return problem(
    name,
    `${used} of ${limit} used, and ${more} more are needed; ask for more: aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${used + more}`,
  );
}

/** On-Demand quotas count the vCPUs of the families A, C, D, H, I, M, R, T and Z together. */
const standard = /^(a|c|d|h|i|im|is|m|r|t|z)\d/;

async function runningVcpus(ec2: EC2Client): Promise<number> {
  let total = 0;
  const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters })) {
    for (const { InstanceType = "", CpuOptions } of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      if (standard.test(InstanceType)) total += (CpuOptions?.CoreCount ?? 1) * (CpuOptions?.ThreadsPerCore ?? 1);
    }
  }
  return total;
}

/** The goal's servers, if they are not there yet; else those of the largest other generation: the next goal. */
async function vcpusToLaunch(
  ec2: EC2Client,
  { generations, live }: Config,
  outputs: Outputs | undefined,
): Promise<number> {
  const next = Object.values(generations).filter(({ name }) => outputs?.generations[name] === undefined);
  const candidates = next.some(({ name }) => name === live) ? next.filter(({ name }) => name === live) : next;
  const types = [...new Set(candidates.map(({ instanceType }) => instanceType).filter((type) => standard.test(type)))];
  if (types.length === 0) return 0;
  const { InstanceTypes = [] } = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: types as never }));
  const vcpus = new Map(InstanceTypes.map((type) => [String(type.InstanceType), type.VCpuInfo?.DefaultVCpus ?? 1]));
  return Math.max(...candidates.map(({ instanceType, frontends }) => frontends * (vcpus.get(instanceType) ?? 0)));
}

async function targetGroups(balancing: ElasticLoadBalancingV2Client): Promise<number> {
  let total = 0;
  for await (const page of paginateDescribeTargetGroups({ client: balancing }, {}))
    total += page.TargetGroups?.length ?? 0;
  return total;
}
