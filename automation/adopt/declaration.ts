import type { Asked, Facts } from "./facts.ts";
import { commonSettings, frontendsOf, launchedWith, securityGroupsOf } from "./servers.ts";

/** The `config` of `Pulumi.<stack>.yaml` that describes a site as it is. */
export function declaration(asked: Asked, facts: Facts, userDataFile?: string): Record<string, unknown> {
  const { loadBalancer, listener, targetGroup: group, attributes, volumes } = facts;
  const frontends = frontendsOf(facts);
  const [first = {}] = frontends;
  const seconds = (name: string) => Number(attributes[name] ?? 0);
  const site = {
    hostname: asked.hostname,
    testHostname: asked.testHostname,
    port: group.Port,
    network: {
      vpcId: loadBalancer.VpcId,
      ...subnets(facts),
      loadBalancerSecurityGroupIds: loadBalancer.SecurityGroups,
      frontendSecurityGroupIds: securityGroupsOf(first),
    },
    loadBalancer: {
      port: listener.listener.Port,
      ...(listener.listener.Protocol === "HTTPS" && {
        certificateArn: listener.listener.Certificates?.[0]?.CertificateArn,
      }),
      healthCheck: {
        path: group.HealthCheckPath,
        intervalSeconds: group.HealthCheckIntervalSeconds,
        timeoutSeconds: group.HealthCheckTimeoutSeconds,
        healthyThreshold: group.HealthyThresholdCount,
        unhealthyThreshold: group.UnhealthyThresholdCount,
        matcher: group.Matcher?.HttpCode,
      },
      deregistrationDelaySeconds: seconds("deregistration_delay.timeout_seconds"),
      ...(attributes["stickiness.enabled"] === "true" && {
        stickinessSeconds: seconds("stickiness.lb_cookie.duration_seconds"),
      }),
    },
    elasticIps: elasticIps(facts),
    ...(asked.database !== undefined && {
      database: asked.database.startsWith("vol-")
        ? { volumeId: asked.database }
        : { dbInstanceIdentifier: asked.database },
    }),
    adopted: asked.generation,
  };
  const { kmsKeyId, ...settings } = commonSettings(facts);
  const launched = launchedWith(first, volumes);
  const generation = {
    ...launched,
    rootBlockDevice: launched.rootBlockDevice && defined({ ...launched.rootBlockDevice, kmsKeyId }),
    ...settings,
    frontends: frontends.length,
    userDataFile,
  };
  return {
    "aws:region": asked.region,
    "handover:site": site,
    "handover:generations": { [asked.generation]: defined(generation) },
    "handover:live": asked.generation,
  };
}

/** Their number, and the pool that they are all from where that is not Amazon's: further ones come from there, too. */
function elasticIps({ addresses }: Facts): unknown {
  const count = addresses.length;
  const [pool, ...others] = new Set(addresses.map(({ PublicIpv4Pool = "amazon" }) => PublicIpv4Pool));
  if (pool === undefined || others.length > 0) return count;
  if (pool.startsWith("ipam-pool-")) return { count, ipamPoolId: pool };
  return pool.startsWith("ipv4pool-") ? { count, publicIpv4Pool: pool } : count;
}

/** The load balancer's subnets, and first those in which there are servers: new ones are launched in this order. */
function subnets(facts: Facts) {
  const subnetIds = (facts.loadBalancer.AvailabilityZones ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
  const used = [...new Set(frontendsOf(facts).flatMap(({ SubnetId }) => SubnetId ?? []))];
  if (!used.every((id) => subnetIds.includes(id))) return { subnetIds, frontendSubnetIds: used };
  return { subnetIds: [...used, ...subnetIds.filter((id) => !used.includes(id))] };
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
