import {
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  ModifyLoadBalancerAttributesCommand,
  SetSecurityGroupsCommand,
  SetSubnetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, map, number, set, string } from "../fields.ts";
import { prefixOf } from "../names.ts";
import { type Creation, type InputsOf, resource } from "../resource.ts";
import { sameTags } from "../tags.ts";
import { waitFor } from "../wait.ts";
import { attributeList, attributeMap, balancingTags, describeTags, updateBalancingTags } from "./balancing.ts";

type Inputs = InputsOf<aws.lb.LoadBalancerArgs>;

export const loadBalancer = resource<aws.lb.LoadBalancer, aws.lb.LoadBalancerArgs>({
  token: "aws:lb/loadBalancer:LoadBalancer",
  fields: {
    dropInvalidHeaderFields: boolean({ default: false }),
    enableDeletionProtection: boolean({ default: false }),
    enableHttp2: boolean({ default: true }),
    idleTimeout: number({ default: 60 }),
    internal: boolean({ computed: true, replace: true }),
    loadBalancerType: string({ default: "application", replace: true }),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    securityGroups: set(string(), { computed: true }),
    subnets: set(string(), { computed: true }),
    tags: map(),
  },
  computed: { arn: true, arnSuffix: true, dnsName: true, vpcId: true, zoneId: true },
  autoname: { property: "name", maxLength: 32 },

  async create(inputs, creation) {
    const { cloud, created, signal, timeoutSeconds = 600 } = creation;
    if (inputs.loadBalancerType !== "application") {
      throw new Error(`loadBalancerType "${inputs.loadBalancerType}" is not supported by the sandbox's provider`);
    }
    const command = new CreateLoadBalancerCommand({
      Name: inputs.name,
      Type: inputs.loadBalancerType,
      Scheme: inputs.internal ? "internal" : "internet-facing",
      SecurityGroups: inputs.securityGroups,
      Subnets: inputs.subnets,
      Tags: balancingTags(inputs.tags),
    });
    const arn = await cloud.loadBalancing.send(command).then(
      ({ LoadBalancers }) => LoadBalancers?.[0]?.LoadBalancerArn ?? "",
      (error: unknown) => adopt(inputs, creation, error),
    );
    created(arn);
    await waitFor(async () => ((await find(cloud, arn))?.State?.Code === "active" ? true : undefined), {
      what: `${inputs.name} to be active`,
      timeoutSeconds,
      signal,
    });
    await setAttributes(cloud, arn, inputs);
    return arn;
  },

  async read({ id, cloud }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const [tags, answer] = await Promise.all([
      describeTags(cloud, id),
      cloud.loadBalancing.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: id })),
    ]);
    const attributes = attributeMap(answer.Attributes);
    const subnets = (found.AvailabilityZones ?? []).map(({ SubnetId = "" }) => SubnetId).sort();
    return {
      arn: id,
      arnSuffix: id.split(":loadbalancer/")[1] ?? "",
      dropInvalidHeaderFields: attributes["routing.http.drop_invalid_header_fields.enabled"] === "true",
      dnsName: found.DNSName ?? "",
      enableDeletionProtection: attributes["deletion_protection.enabled"] === "true",
      enableHttp2: attributes["routing.http2.enabled"] !== "false",
      enablePrefixForIpv6SourceNat: "",
      enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "",
      idleTimeout: Number(attributes["idle_timeout.timeout_seconds"] ?? 60),
      internal: found.Scheme === "internal",
      ipAddressType: found.IpAddressType ?? "ipv4",
      loadBalancerType: found.Type ?? "application",
      name: found.LoadBalancerName ?? "",
      namePrefix: prefixOf(found.LoadBalancerName),
      secondaryIpsAutoAssignedPerSubnet: 0,
      securityGroups: [...(found.SecurityGroups ?? [])].sort(),
      subnetMappings: subnets.map((subnetId) => ({ subnetId, outpostId: "" })),
      subnets,
      tags,
      vpcId: found.VpcId ?? "",
      zoneId: found.CanonicalHostedZoneId ?? "",
    };
  },

  async update({ cloud, id, olds, news, changed }) {
    const LoadBalancerArn = id;
    await setAttributes(cloud, id, news, olds);
    if (changed("securityGroups")) {
      const SecurityGroups = news.securityGroups;
      await cloud.loadBalancing.send(new SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups }));
    }
    if (changed("subnets")) {
      await cloud.loadBalancing.send(new SetSubnetsCommand({ LoadBalancerArn, Subnets: news.subnets }));
    }
    await updateBalancingTags(cloud, id, olds.tags, news.tags);
  },

  async delete({ id, cloud, signal, timeoutSeconds = 600 }) {
    await unless(
      ["LoadBalancerNotFound", "LoadBalancerNotFoundException"],
      cloud.loadBalancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: id })),
    );
    await waitFor(async () => ((await find(cloud, id)) === undefined ? true : undefined), {
      what: `${id} to be gone`,
      timeoutSeconds,
      signal,
    });
  },
});

async function find(cloud: Cloud, arn: string) {
  const call = cloud.loadBalancing.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  return (await unless(["LoadBalancerNotFound", "LoadBalancerNotFoundException"], call))?.LoadBalancers?.[0];
}

/**
 * A load balancer of the same name with the same tags that the state does not hold was left behind by a crash. AWS
 * itself answers with it if every setting is the same; this is for one that differs.
 */
async function adopt(inputs: Inputs, { cloud, isHeld }: Creation, duplicate: unknown): Promise<string> {
  const isDuplicate = ["DuplicateLoadBalancerName", "DuplicateLoadBalancerNameException"].includes(
    codeOf(duplicate) ?? "",
  );
  if (!isDuplicate || isHeld || inputs.name === undefined) throw duplicate;
  const { LoadBalancers } = await cloud.loadBalancing.send(new DescribeLoadBalancersCommand({ Names: [inputs.name] }));
  const { LoadBalancerArn: arn, Scheme } = LoadBalancers?.[0] ?? {};
  const isSame = Scheme === (inputs.internal ? "internal" : "internet-facing");
  if (arn === undefined || !isSame || !sameTags(await describeTags(cloud, arn), inputs.tags)) throw duplicate;
  const LoadBalancerArn = arn;
  const { securityGroups: SecurityGroups, subnets: Subnets } = inputs;
  if (SecurityGroups) await cloud.loadBalancing.send(new SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups }));
  if (Subnets) await cloud.loadBalancing.send(new SetSubnetsCommand({ LoadBalancerArn, Subnets }));
  await setAttributes(cloud, arn, inputs, {});
  return arn;
}

const defaults: Inputs = {
  dropInvalidHeaderFields: false,
  enableDeletionProtection: false,
  enableHttp2: true,
  idleTimeout: 60,
};

async function setAttributes(cloud: Cloud, LoadBalancerArn: string, news: Inputs, olds = defaults): Promise<void> {
  const changed = <K extends keyof Inputs>(key: K) => (news[key] === olds[key] ? undefined : news[key]);
  const Attributes = attributeList({
    "deletion_protection.enabled": changed("enableDeletionProtection"),
    "routing.http.drop_invalid_header_fields.enabled": changed("dropInvalidHeaderFields"),
    "routing.http2.enabled": changed("enableHttp2"),
    "idle_timeout.timeout_seconds": changed("idleTimeout"),
  });
  if (Attributes.length === 0) return;
  await cloud.loadBalancing.send(new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes }));
}
