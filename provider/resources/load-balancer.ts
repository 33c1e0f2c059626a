import {
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  ModifyLoadBalancerAttributesCommand,
  SetIpAddressTypeCommand,
  SetSecurityGroupsCommand,
  SetSubnetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as aws from "@pulumi/aws";
import type { Cloud } from "../cloud.ts";
import { codeOf, unless } from "../errors.ts";
import { boolean, type Field, type Fields, map, object, set, string } from "../fields.ts";
import { prefixOf } from "../names.ts";
import { type Creation, type InputsOf, resource } from "../resource.ts";
import { sameTags } from "../tags.ts";
import { waitFor } from "../wait.ts";
import {
  type AttributeKeys,
  attributeList,
  attributeMap,
  balancingTags,
  changedAttributes,
  describeAttributes,
  describeTags,
  updateBalancingTags,
} from "./balancing.ts";

type Inputs = InputsOf<aws.lb.LoadBalancerArgs>;

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html */
const attributeKeys = {
  clientKeepAlive: "client_keep_alive.seconds",
  desyncMitigationMode: "routing.http.desync_mitigation_mode",
  dropInvalidHeaderFields: "routing.http.drop_invalid_header_fields.enabled",
  enableDeletionProtection: "deletion_protection.enabled",
  enableHttp2: "routing.http2.enabled",
  enableTlsVersionAndCipherSuiteHeaders: "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
  enableWafFailOpen: "waf.fail_open.enabled",
  enableXffClientPort: "routing.http.xff_client_port.enabled",
  enableZonalShift: "zonal_shift.config.enabled",
  idleTimeout: "idle_timeout.timeout_seconds",
  preserveHostHeader: "routing.http.preserve_host_header.enabled",
  xffHeaderProcessingMode: "routing.http.xff_header_processing.mode",
} as const satisfies AttributeKeys<Inputs>;

/** A new load balancer's. */
const defaults = {
  clientKeepAlive: 3600,
  desyncMitigationMode: "defensive",
  dropInvalidHeaderFields: false,
  enableDeletionProtection: false,
  enableHttp2: true,
  enableTlsVersionAndCipherSuiteHeaders: false,
  enableWafFailOpen: false,
  enableXffClientPort: false,
  enableZonalShift: false,
  idleTimeout: 60,
  preserveHostHeader: false,
  xffHeaderProcessingMode: "append",
} as const satisfies Record<keyof typeof attributeKeys, string | number | boolean>;

const attributeFields: Fields<Inputs> = Object.fromEntries(
  Object.entries(defaults).map(([input, value]) => [input, { type: typeof value, default: value } as Field]),
);

export const loadBalancer = resource<aws.lb.LoadBalancer, aws.lb.LoadBalancerArgs>({
  token: "aws:lb/loadBalancer:LoadBalancer",
  fields: {
    ...attributeFields,
    accessLogs: object<aws.types.input.lb.LoadBalancerAccessLogs>(
      {
        bucket: string({ required: true }),
        enabled: boolean({ default: false }),
        prefix: string(),
      },
      { computed: true },
    ),
    internal: boolean({ computed: true, replace: true }),
    ipAddressType: string({ computed: true }),
    loadBalancerType: string({ default: "application", replace: true }),
    name: string({ computed: true, replace: true }),
    namePrefix: string({ computed: true, replace: true }),
    securityGroups: set(string(), { computed: true }),
    subnetMappings: set(
      object<aws.types.input.lb.LoadBalancerSubnetMapping>({
        outpostId: string({ computed: true }),
        subnetId: string({ required: true }),
      }),
      { computed: true },
    ),
    subnets: set(string(), { computed: true }),
    tags: map(),
  },
  exactlyOne: [["subnets", "subnetMappings"]],
  computed: { arn: true, arnSuffix: true, dnsName: true, vpcId: true, zoneId: true },
  autoname: { property: "name", maxLength: 32 },

  check({ subnetMappings }) {
    if (subnetMappings === undefined) return [];
    return [{ property: "subnetMappings", reason: "subnetMappings is not supported by Handover's provider" }];
  },

  async create(inputs, creation) {
    const { cloud, created, signal, timeoutSeconds = 600 } = creation;
    if (inputs.loadBalancerType !== "application") {
      throw new Error(`loadBalancerType "${inputs.loadBalancerType}" is not supported by Handover's provider`);
    }
    const command = new CreateLoadBalancerCommand({
      Name: inputs.name,
      Type: inputs.loadBalancerType,
      IpAddressType: inputs.ipAddressType as "ipv4" | undefined,
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

  async read({ id, cloud, state }) {
    const found = await find(cloud, id);
    if (found === undefined) return undefined;
    const [tags, answer] = await Promise.all([
      describeTags(cloud, id),
      cloud.loadBalancing.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: id })),
    ]);
    const attributes = attributeMap(answer.Attributes);
    const subnets = (found.AvailabilityZones ?? []).map(({ SubnetId = "" }) => SubnetId).sort();
    return {
      ...describeAttributes(attributeKeys, attributeFields, attributes),
      ...accessLogsIn(attributes, state.accessLogs !== undefined),
      arn: id,
      arnSuffix: id.split(":loadbalancer/")[1] ?? "",
      dnsName: found.DNSName ?? "",
      enablePrefixForIpv6SourceNat: "",
      enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: "",
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
    if (changed("ipAddressType")) {
      const IpAddressType = news.ipAddressType as "ipv4";
      await cloud.loadBalancing.send(new SetIpAddressTypeCommand({ LoadBalancerArn, IpAddressType }));
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

function attributesOf({ bucket, enabled = false, prefix = "" }: NonNullable<Inputs["accessLogs"]>) {
  // AWS takes no bucket that is not used.
  if (!enabled) return { "access_logs.s3.enabled": false };
  return { "access_logs.s3.enabled": true, "access_logs.s3.bucket": bucket, "access_logs.s3.prefix": prefix };
}

/** @param isKnown whether the state has them; one that has none is described without */
function accessLogsIn(attributes: Readonly<Record<string, string | undefined>>, isKnown: boolean) {
  const enabled = attributes["access_logs.s3.enabled"] === "true";
  if (!enabled && !isKnown) return {};
  const prefix = attributes["access_logs.s3.prefix"] ?? "";
  const bucket = attributes["access_logs.s3.bucket"] ?? "";
  return { accessLogs: { bucket, enabled, ...(prefix !== "" && { prefix }) } };
}

async function setAttributes(
  cloud: Cloud,
  LoadBalancerArn: string,
  news: Inputs,
  olds: Inputs = defaults,
): Promise<void> {
  const { accessLogs: logs } = news;
  const isSame = JSON.stringify(logs) === JSON.stringify(olds.accessLogs);
  const Attributes = attributeList({
    ...changedAttributes(attributeKeys, news, olds),
    ...(logs !== undefined && !isSame && attributesOf(logs)),
  });
  if (Attributes.length === 0) return;
  await cloud.loadBalancing.send(new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes }));
}
