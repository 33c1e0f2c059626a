/**
 * Types and names of the site's resources. The program gives them; the driver reads from them what a change is, and
 * whose. A name that changes replaces the resource. It imports no Pulumi.
 */

/** Type tokens of the resources that the program declares. */
export const types = {
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  internetGateway: "aws:ec2/internetGateway:InternetGateway",
  routeTable: "aws:ec2/routeTable:RouteTable",
  route: "aws:ec2/route:Route",
  routeTableAssociation: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  eip: "aws:ec2/eip:Eip",
  eipAssociation: "aws:ec2/eipAssociation:EipAssociation",
  instance: "aws:ec2/instance:Instance",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  autoScalingGroup: "aws:autoscaling/group:Group",
  scalingPolicy: "aws:autoscaling/policy:Policy",
  scheduledAction: "aws:autoscaling/schedule:Schedule",
  loadBalancer: "aws:lb/loadBalancer:LoadBalancer",
  listener: "aws:lb/listener:Listener",
  listenerRule: "aws:lb/listenerRule:ListenerRule",
  listenerCertificate: "aws:lb/listenerCertificate:ListenerCertificate",
  targetGroup: "aws:lb/targetGroup:TargetGroup",
  targetGroupAttachment: "aws:lb/targetGroupAttachment:TargetGroupAttachment",
  ebsSnapshot: "aws:ebs/snapshot:Snapshot",
  rdsSnapshot: "aws:rds/snapshot:Snapshot",
  table: "aws:dynamodb/table:Table",
} as const;

/** Types of the program's components. */
export const components = {
  Site: "handover:site:Site",
  Network: "handover:site:Network",
  Generation: "handover:site:Generation",
  Balancer: "handover:site:Balancer",
  Addresses: "handover:site:Addresses",
  Database: "handover:site:Database",
  Complete: "handover:site:Complete",
} as const;

/** A generation's name, as a regular expression. It has no dot, so that nothing after one is taken for a part of it. */
export const generationNamePattern = "[a-z]([a-z0-9-]{0,14}[a-z0-9])?";

const numbered = (name: string, index: number) => `${name}-${index + 1}`;

/** Names of what belongs to the whole site. What a component has one of has the component's name. */
export const siteNames = {
  /** The site, its network and its load balancer. */
  site: "site",
  addresses: "address",
  database: "database",
  ledger: "ledger",
  /** A subnet, and its route table association. */
  subnet: numbered,
  securityGroup: (network: string, of: "load-balancer" | "frontends") => `${network}-${of}`,
  /** What an entry has one of, the first one's being the balancer's. */
  entry: (balancer: string, entry?: string) => (entry === undefined ? balancer : `${balancer}.${entry}`),
  /** A listener that redirects, by its port: no entry has a number for a name. */
  redirect: (balancer: string, port: number) => `${balancer}.${port}`,
  /** A certificate of a listener beside its first, by what follows the last slash of its ARN. */
  certificate: (listener: string, arn: string) => `${listener}.${arn.slice(arn.lastIndexOf("/") + 1)}`,
  testRule: (balancer: string, entry?: string) =>
    entry === undefined ? `${balancer}-test` : `${balancer}.${entry}.test`,
  /** An Elastic IP, and its association. */
  address: numbered,
  backup: (database: string) => `${database}-backup`,
};

/** The generation's own name, for what it has one of: `blue`. */
const own = { of: (generation: string) => generation, pattern: pattern("") };
/** `blue-1` for the first server. What follows the last hyphen is the number, whatever the generation's name is. */
const ofServer = { of: numbered, pattern: pattern("-[1-9][0-9]*") };
/** `blue`, and `blue-Admin` for a further entry: AWS takes letters, digits and hyphens, and no generation has a capital. */
const ofEntry = {
  of: (generation: string, entry?: string) =>
    entry === undefined ? generation : `${generation}-${entry[0]?.toUpperCase()}${entry.slice(1)}`,
  pattern: pattern("(-[A-Z][a-z0-9-]*)?"),
};
/** `blue-1`, as its server, and `blue-1.admin` for a further entry. */
const ofServerAndEntry = {
  of: (generation: string, index: number, entry?: string) =>
    entry === undefined ? numbered(generation, index) : `${numbered(generation, index)}.${entry}`,
  pattern: pattern("-[1-9][0-9]*([.].+)?"),
};
/** `blue.requests`. */
const ofArray = { of: (generation: string, name: string) => `${generation}.${name}`, pattern: pattern("[.].+") };

/** Names of what belongs to a generation, by short type: how one is made, and how the generation is read from it. */
export const generationNames = {
  targetGroup: ofEntry,
  launchTemplate: own,
  instance: ofServer,
  targetGroupAttachment: ofServerAndEntry,
  autoScalingGroup: own,
  scalingPolicy: ofArray,
  scheduledAction: ofArray,
} as const satisfies Partial<Record<keyof typeof types, unknown>>;

const patterns: ReadonlyMap<string, RegExp> = new Map(
  Object.entries(generationNames).map(([short, name]) => [types[short as keyof typeof generationNames], name.pattern]),
);

/** The generation that a resource belongs to; undefined for one that belongs to none. */
export function ownerOf(type: string, name: string): string | undefined {
  return patterns.get(type)?.exec(name)?.groups?.generation;
}

function pattern(rest: string): RegExp {
  return new RegExp(`^(?<generation>${generationNamePattern})${rest}$`);
}
