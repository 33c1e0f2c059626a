import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EntryConfig, SiteConfig } from "./config.ts";
import { components, siteNames } from "./names.ts";
import { keepId, type Owner, tags } from "./tags.ts";

export interface NetworkArgs {
  readonly owner: Owner;
  /** An existing network, or the block of one to create. A change replaces every server. */
  readonly network: SiteConfig["network"];
  /**
   * Whose listeners are open to the world on the load balancer. So is the port of the first one on the frontends, because they
   * hold public addresses; those of the others are open to the load balancer alone.
   */
  readonly entries: readonly [EntryConfig, ...EntryConfig[]];
  /** See `publicAddresses`; one for all subnets, or one for each of the frontends'. */
  readonly publicAddresses: readonly boolean[];
}

/** The site's network: a VPC with two public subnets, and security groups; each created, or existing and given by id. */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** In different availability zones. */
  readonly subnetIds: pulumi.Output<string>[];
  /** The frontends' subnets, and whether new servers there get a public address of their own. */
  readonly frontendSubnetIds: pulumi.Output<string>[];
  readonly publicAddresses: readonly boolean[];
  readonly loadBalancerSecurityGroupIds: pulumi.Input<string>[];
  readonly frontendSecurityGroupIds: pulumi.Input<string>[];

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Network, name, {}, opts);
    const { cidrBlock, vpcId = "", subnetIds = [], frontendSubnetIds } = args.network;
    const created = cidrBlock === undefined ? undefined : createNetwork(name, cidrBlock, args.owner, this);
    this.vpcId = created?.vpcId ?? pulumi.output(vpcId);
    this.subnetIds = created?.subnetIds ?? subnetIds.map((id) => pulumi.output(id));
    this.frontendSubnetIds = frontendSubnetIds?.map((id) => pulumi.output(id)) ?? this.subnetIds;
    const { publicAddresses } = args;
    this.publicAddresses = this.frontendSubnetIds.map((_, at) => publicAddresses[at % publicAddresses.length] === true);
    const [first, ...others] = args.entries;
    const { owner } = args;
    this.loadBalancerSecurityGroupIds = args.network.loadBalancerSecurityGroupIds ?? [
      this.openTo(siteNames.securityGroup(name, "load-balancer"), first.listener.port, {
        owner,
        further: [...first.redirects, ...others.flatMap(({ listener, redirects }) => [listener, ...redirects])].map(
          ({ port }) => ingress(port, world),
        ),
      }).id,
    ];
    const balancer = { securityGroups: this.loadBalancerSecurityGroupIds };
    this.frontendSecurityGroupIds = args.network.frontendSecurityGroupIds ?? [
      this.openTo(siteNames.securityGroup(name, "frontends"), first.port, {
        owner,
        further: furtherPorts(args.entries).map((port) => ingress(port, balancer)),
      }).id,
    ];
    this.registerOutputs({ vpcId: this.vpcId, subnetIds: this.subnetIds });
  }

  private openTo(
    name: string,
    port: number,
    { owner, further }: { readonly owner: Owner; readonly further: readonly Ingress[] },
  ): aws.ec2.SecurityGroup {
    return new aws.ec2.SecurityGroup(
      name,
      {
        description: `Port ${port} from everywhere`,
        vpcId: this.vpcId,
        ingress: [ingress(port, world), ...further],
        egress: [{ protocol: "-1", fromPort: 0, toPort: 0, ...world }],
        tags: tags(name, owner),
      },
      // Another description would replace the group.
      { parent: this, ignoreChanges: [...keepId, "description"] },
    );
  }
}

const world = { cidrBlocks: ["0.0.0.0/0"] };

type Ingress = aws.types.input.ec2.SecurityGroupIngress;

function ingress(port: number, from: Pick<Ingress, "cidrBlocks" | "securityGroups">): Ingress {
  return { protocol: "tcp", fromPort: port, toPort: port, ...from };
}

/** Ports on which the load balancer asks frontends, beside the one that is open to the world. */
function furtherPorts([first, ...others]: NetworkArgs["entries"]): number[] {
  const ports = others.flatMap(({ port, healthCheck }) => [port, healthCheck.port ?? port]);
  return [...new Set(ports)].filter((port) => port !== first.port);
}

function createNetwork(name: string, cidrBlock: string, owner: Owner, parent: pulumi.Resource) {
  const opts = { parent, ignoreChanges: keepId };
  const vpc = new aws.ec2.Vpc(name, { cidrBlock, enableDnsHostnames: true, tags: tags(name, owner) }, opts);
  const gateway = new aws.ec2.InternetGateway(name, { vpcId: vpc.id, tags: tags(name, owner) }, opts);
  const routes = new aws.ec2.RouteTable(name, { vpcId: vpc.id, tags: tags(name, owner) }, opts);
  const route = new aws.ec2.Route(
    name,
    { routeTableId: routes.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
    { parent },
  );
  const zones = pulumi.output(ordinaryZones(parent));
  const subnetIds = quarters(cidrBlock).map((block, index) => {
    const subnetName = siteNames.subnet(name, index);
    const subnet = new aws.ec2.Subnet(
      subnetName,
      {
        vpcId: vpc.id,
        cidrBlock: block,
        availabilityZone: zones.apply((names) => names[index] ?? ""),
        tags: tags(subnetName, owner),
      },
      // A new zone in the region must not move the subnets of a live site.
      { parent, ignoreChanges: ["availabilityZone", ...keepId] },
    );
    const association = new aws.ec2.RouteTableAssociation(
      subnetName,
      { subnetId: subnet.id, routeTableId: routes.id },
      { parent },
    );
    // Whoever uses the subnet finds it routed.
    return pulumi.all([subnet.id, association.id, route.id]).apply(([id]) => id);
  });
  return { vpcId: vpc.id, subnetIds };
}

/** The first two quarters of an IPv4 block; the others are left for whatever else the network will hold. */
export function quarters(cidrBlock: string): [string, string] {
  const [address = "", prefix = ""] = cidrBlock.split("/");
  const base = address.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(prefix) - 2);
  const at = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  return [`${at(base)}/${Number(prefix) + 2}`, `${at(base + size)}/${Number(prefix) + 2}`];
}

let zonesOfRegion: Promise<readonly string[]> | undefined;

/**
 * Reads the region's zones once in a process: the driver evaluates the program for each preview and each update. Local and
 * Wavelength Zones are for who opted in, and have neither all instance types nor load balancers.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
 */
function ordinaryZones(parent: pulumi.Resource): Promise<readonly string[]> {
  const ordinary = { name: "zone-type", values: ["availability-zone"] };
  zonesOfRegion ??= aws.getAvailabilityZones({ state: "available", filters: [ordinary] }, { parent }).then(
    ({ names }) => names,
    (error) => {
      zonesOfRegion = undefined;
      throw error;
    },
  );
  return zonesOfRegion;
}
