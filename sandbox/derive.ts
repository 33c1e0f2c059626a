import { stringify } from "yaml";
import type { SecretsKey } from "./key.ts";
import type { Slot } from "./slot.ts";

/**
 * How long a minute of the load balancer's metrics, of status checks and of autoscaling lasts in a sandbox, in seconds:
 * evidence that takes minutes on AWS is there in seconds.
 */
export const minuteSeconds = 1;

/** The longest that a rehearsal waits where a real site waits longer, in seconds. */
const shortest = {
  deregistrationDelaySeconds: 10,
  stepSeconds: 3,
  stableSeconds: 5,
  quietSeconds: 1,
  stickinessSeconds: 5,
  bakeSeconds: 5,
  gateSeconds: 30,
  propagationSeconds: 10,
  patienceSeconds: 15,
  intervalSeconds: 5,
  timeoutSeconds: 2,
  threshold: 2,
};

export interface Derived {
  /** The whole `Pulumi.<name>.yaml`, block style. */
  readonly text: string;
  /** Images that the file names, with the architecture that their instance type runs. */
  readonly images: readonly { readonly imageId: string; readonly architecture: "x86_64" | "arm64" }[];
  /** The pool that the file names for its Elastic IPs, with addresses for as many as it may have. */
  readonly pools: readonly { readonly poolId: string; readonly addressCount: number }[];
}

export interface DeriveOptions {
  /** The real stack's file, parsed. */
  readonly like: Readonly<Record<string, unknown>>;
  readonly likeName: string;
  readonly slot: Slot;
  /** Replaces the site's database, if it has one. */
  readonly database: Readonly<Record<string, string>> | undefined;
  /** Replace the allocation ids that the file names, if it does. Default: as in the file. */
  readonly allocationIds?: readonly string[];
  /** Encryption of the stack's secrets. Default: the backend's. */
  readonly encryption?: SecretsKey;
  /** Number of frontends of every generation. Default: as in the file. */
  readonly frontends?: number;
  /** Number of servers with which every generation's array begins; it may double, and keeps its policies. Default: as in the file. */
  readonly array?: number;
  /** Lag of the load balancer and of Describe calls, which gates wait for beside everything else. Default: 0. */
  readonly lagSeconds?: number;
}

/**
 * A stack's file for the sandbox: the same site in a network of this machine, on an unprivileged port and without TLS,
 * with waiting times that fit a rehearsal. Instances run the sample application, whatever their image is; the site's own
 * metrics, alarms and logs are not watched, nor are sessions that a metric counts.
 */
export function derive(options: DeriveOptions): Derived {
  const { like, likeName, slot, database, allocationIds, encryption, frontends, array, lagSeconds = 0 } = options;
  const config = structuredClone(like.config) as Record<string, Node>;
  const site = config["handover:site"] ?? {};
  const balancer = child(site, "loadBalancer");
  const upgrade = child(config, "handover:upgrade");
  const generations = child(config, "handover:generations");

  site.network = { cidrBlock: slot.cidrBlock };
  delete site.adopted;
  if (balancer.listeners === undefined) balancer.port = firstPort;
  delete balancer.certificateArn;
  // Nobody outside of it reaches the sandbox's load balancer anyway.
  delete balancer.internal;
  delete balancer.accessLogs;
  const entries = Object.values((site.entries ?? {}) as Record<string, Node>);
  unprivileged([balancer, ...entries]);
  for (const entry of entries) shorten(entry);
  const ports = entries.flatMap((entry) => [entry.port, child(entry, "healthCheck").port ?? entry.port]);
  if (site.database !== undefined && database !== undefined) {
    const { retainDays } = child(site, "database");
    site.database = { ...database, ...(retainDays !== undefined && { retainDays }) };
  }
  shorten(balancer);
  limit(upgrade, "stableSeconds", shortest.stableSeconds, 10);
  limit(upgrade, "stepSeconds", shortest.stepSeconds, 10);
  limit(upgrade, "bakeSeconds", shortest.bakeSeconds, 300);
  limit(upgrade, "gateSeconds", shortest.gateSeconds, 600);
  // A node may learn of a rule and of a target one after the other, and tags come after what they are on.
  upgrade.gateSeconds = Number(upgrade.gateSeconds) + 2 * lagSeconds;
  limit(upgrade, "propagationSeconds", Math.max(shortest.propagationSeconds, lagSeconds), 60);
  if (upgrade.sessions !== undefined) limit(child(upgrade, "sessions"), "quietSeconds", shortest.quietSeconds, 10);
  const comparison = child(upgrade, "comparison");
  limit(comparison, "patienceSeconds", shortest.patienceSeconds, 300);
  // A rehearsal's load is not the site's.
  Object.assign(comparison, { periodSeconds: minuteSeconds, whenTooFew: "pass" });

  // One look is enough for a verdict.
  child(upgrade, "probe").perSecond = 60;

  // Those of the real site, which the sandbox has not.
  for (const key of ["metrics", "alarms", "logs"]) delete upgrade[key];
  if (upgrade.sessions !== undefined && child(upgrade, "sessions").cloudWatch !== undefined) delete upgrade.sessions;
  for (const generation of Object.values(generations) as Node[]) {
    delete generation.iamInstanceProfile;
    delete generation.keyName;
    // The sample application listens where the site's own does; what extends another has its inputs.
    if (ports.length > 0 && generation.extends === undefined)
      generation.inputs = { MORE_PORTS: [...new Set(ports)].join(" "), ...child(generation, "inputs") };
  }

  if (frontends !== undefined) {
    for (const generation of Object.values(generations) as Node[]) {
      if (generation.frontends !== undefined) generation.frontends = frontends;
    }
    site.elasticIps = atMost(site.elasticIps, frontends);
  }
  if (Array.isArray(site.elasticIps) && allocationIds !== undefined)
    site.elasticIps = allocationIds.slice(0, site.elasticIps.length);
  if (array !== undefined) {
    for (const generation of Object.values(generations) as Node[]) {
      // What extends another takes its array over.
      if (generation.extends !== undefined && generation.array === undefined) continue;
      generation.array = { ...(generation.array as Node), minSize: array, maxSize: Math.max(1, 2 * array) };
    }
  }
  const header = ` Derived from Pulumi.${likeName}.yaml by \`handover sandbox up\`: the same site on this machine, with shorter waits. Edit it freely.`;
  return {
    text: `#${header}\n${stringify({ ...encryption, config }, { collectionStyle: "block", lineWidth: 0 })}`,
    images: imagesOf(generations as Record<string, Node>),
    pools: poolsOf(site.elasticIps),
  };
}

/** The site's Elastic IPs, each of which needs a frontend. */
function atMost(elasticIps: unknown, frontends: number): unknown {
  if (Array.isArray(elasticIps)) return elasticIps.slice(0, frontends);
  if (typeof elasticIps !== "object" || elasticIps === null) return Math.min(Number(elasticIps ?? 0), frontends);
  return { ...elasticIps, count: Math.min(Number((elasticIps as Node).count ?? 0), frontends) };
}

function poolsOf(elasticIps: unknown): Derived["pools"] {
  const { publicIpv4Pool, ipamPoolId } = Object(elasticIps) as Node;
  const poolId = publicIpv4Pool ?? ipamPoolId;
  return typeof poolId === "string" ? [{ poolId, addressCount: 100 }] : [];
}

/** Unprivileged; those of further listeners follow. */
const firstPort = 8000;

/** Gives listeners ports of their own, without TLS. */
function unprivileged(entries: readonly Node[]): void {
  const listeners = entries.flatMap(({ listeners = [] }) => listeners as Node[]);
  const taken = entries[0]?.listeners === undefined ? 1 : 0;
  const ports = new Map(listeners.map(({ port }, index) => [port, firstPort + taken + index]));
  for (const entry of entries) {
    if (entry.listeners === undefined) continue;
    entry.listeners = (entry.listeners as Node[]).map(({ port, redirectTo }) => ({
      port: ports.get(port),
      ...(redirectTo !== undefined && { redirectTo: ports.get(redirectTo) }),
    }));
  }
}

/** Settings of a load balancer's entry, with waits that fit a rehearsal. */
function shorten(entry: Node): void {
  limit(entry, "deregistrationDelaySeconds", shortest.deregistrationDelaySeconds, 30);
  limit(entry, "stickinessSeconds", shortest.stickinessSeconds, 0);
  const check = child(entry, "healthCheck");
  limit(check, "intervalSeconds", shortest.intervalSeconds, 5);
  limit(check, "timeoutSeconds", shortest.timeoutSeconds, 2);
  limit(check, "healthyThreshold", shortest.threshold, 2);
  limit(check, "unhealthyThreshold", shortest.threshold, 2);
}

type Node = Record<string, unknown>;

function child(node: Node, key: string): Node {
  node[key] ??= {};
  return node[key] as Node;
}

function limit(node: Node, key: string, most: number, otherwise: number): void {
  node[key] = Math.min(Number(node[key] ?? otherwise), most);
}

function imagesOf(generations: Readonly<Record<string, Node>>): Derived["images"] {
  const inherited = (generation: Node | undefined, key: string): unknown =>
    generation === undefined ? undefined : (generation[key] ?? inherited(generations[String(generation.extends)], key));
  return Object.values(generations).flatMap((generation) => {
    const [imageId, instanceType] = [inherited(generation, "imageId"), inherited(generation, "instanceType")];
    if (typeof imageId !== "string") return [];
    // Graviton families have a g after their number: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
    const architecture = /^([a-z]+\d+g[a-z]*|a1)\./.test(String(instanceType))
      ? ("arm64" as const)
      : ("x86_64" as const);
    return [{ imageId, architecture }];
  });
}
