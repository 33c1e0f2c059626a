import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Addresses } from "./addresses.ts";
import { ServerArray } from "./array.ts";
import type { ArrayFacts } from "./array-facts.ts";
import { Balancer } from "./balancer.ts";
import { type Config, type EntryConfig, entriesOf } from "./config.ts";
import { Database } from "./database.ts";
import { Generation } from "./generation.ts";
import type { Intent } from "./intent.ts";
import { ledgerTable } from "./ledger-table.ts";
import type { NamedAddress } from "./named-addresses.ts";
import { components, generationNames, siteNames } from "./names.ts";
import { Network } from "./network.ts";
import { idTag, type Owner } from "./tags.ts";

/** What a site is made of. `siteArguments()` computes it. */
export interface SiteArgs {
  /** The stack's configuration, checked. */
  readonly config: Config;
  /** The whole site as it should be now: which servers there are, their shares of the traffic, who holds each address. */
  readonly intent: Intent;
  /** The site's name and random id, by which its resources are told from another site's. */
  readonly owner: Owner;
  /** Whether the site was never deployed completely. Default: false. */
  readonly isNew?: boolean;
  /** The root device of each generation's image. */
  readonly rootDeviceNames: Readonly<Record<string, string>>;
  /** The user data of a generation's servers. */
  readonly userData: (generation: string) => string;
  /** What only AWS knows of the arrays: their size now, and what an operator had suspended. */
  readonly arrayFacts: ArrayFacts;
  /** See `publicAddresses` in egress.ts. */
  readonly publicAddresses: readonly boolean[];
  /** The Elastic IP at each place, where the file names it. Default: the stack allocates them. */
  readonly namedAddresses?: readonly (NamedAddress | undefined)[];
  /** Whether an Elastic IP, by its place, may be given up for good. Default: none may. */
  readonly isReleased?: (address: number) => boolean;
}

/** A site: network, load balancer, addresses, database, and the generations that the intent asks for. */
export class Site extends pulumi.ComponentResource {
  /** See `idTag`. */
  readonly id: pulumi.Output<string>;
  readonly network: Network;
  readonly generations: Readonly<Record<string, Generation>>;
  readonly balancer: Balancer;
  /** Arrays by generation. */
  readonly arrays: Readonly<Record<string, ServerArray>>;
  readonly addresses: Addresses;
  readonly database: Database | undefined;
  readonly ledger: aws.dynamodb.Table;

  constructor(name: string, given: SiteArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Site, name, {}, opts);
    const parent = { parent: this };
    const named = { ...given.owner, tags: given.config.site.tags };
    this.ledger = ledgerTable(named, given.isNew === true, parent);
    // All tags have the id from the table, so nothing is made before it is there: where it is another site's, nothing is.
    this.id = pulumi.all([this.ledger.tags, named.id]).apply(([tags, id]) => tags?.[idTag] ?? id);
    const args = { ...given, owner: { ...named, id: this.id } };
    const { config, intent, owner } = args;
    const { site } = config;
    this.network = new Network(
      name,
      {
        owner,
        network: site.network,
        entries: entriesOf(site),
        publicAddresses: args.publicAddresses,
      },
      parent,
    );
    this.generations = Object.fromEntries(
      Object.keys(intent.generations).map((generation) => [generation, this.createGeneration(generation, args)]),
    );
    this.balancer = new Balancer(
      name,
      {
        owner,
        site,
        network: this.network,
        weights: intent.weights,
        testTarget: intent.testTarget,
        targetGroupArn: (generation, entry) => this.targetGroup(generation, entry).arn,
      },
      parent,
    );
    this.arrays = Object.fromEntries(
      Object.keys(intent.generations).flatMap((generation) => {
        const array = this.createArray(generation, args);
        return array === undefined ? [] : [[generation, array]];
      }),
    );
    const holders = intent.addresses.map(({ generation, frontend }, index) => ({
      instance: this.frontend(generation, frontend),
      protect: args.isReleased?.(index) !== true,
      adopted: generation === site.adopted,
      named: args.namedAddresses?.[index],
    }));
    this.addresses = new Addresses(
      siteNames.addresses,
      { owner, holders, from: site.elasticIps, adopted: site.adopted !== undefined },
      parent,
    );
    this.database =
      intent.snapshot && site.database !== undefined
        ? new Database(
            siteNames.database,
            { owner: { ...owner, run: config.run?.id }, database: site.database },
            parent,
          )
        : undefined;
    this.registerOutputs({ live: intent.live });
  }

  generation(name: string): Generation {
    const generation = this.generations[name];
    if (generation === undefined) throw new Error(`The intent names generation "${name}" but does not contain it.`);
    return generation;
  }

  private targetGroup(generation: string, { name }: EntryConfig): aws.lb.TargetGroup {
    const targets = this.generation(generation).targetGroups.find(({ entry }) => entry.name === name);
    if (targets === undefined) throw new Error(`Generation "${generation}" has no target group for entry "${name}".`);
    return targets.group;
  }

  private frontend(generation: string, index: number): aws.ec2.Instance {
    const wanted = generationNames.instance.of(generation, index);
    const frontend = this.generation(generation).frontends.find(({ name }) => name === wanted);
    if (frontend === undefined) throw new Error(`Generation "${generation}" has no frontend ${index + 1}.`);
    return frontend.instance;
  }

  private createGeneration(name: string, args: SiteArgs): Generation {
    const { config, intent, owner } = args;
    const generation = config.generations[name];
    const generationIntent = intent.generations[name];
    if (generation === undefined || generationIntent === undefined) throw new Error(`Generation "${name}" is unknown.`);
    return new Generation(
      name,
      {
        owner: { ...owner, generation: name, run: config.run?.id ?? "by-hand" },
        config: generation,
        intent: generationIntent,
        site: config.site,
        network: this.network,
        rootDeviceName: args.rootDeviceNames[name] ?? "",
        userData: pulumi.secret(args.userData(name)),
      },
      { parent: this },
    );
  }

  /** After the listeners: a policy counts what they give to target groups, and servers leave when they give no more. */
  private createArray(name: string, { config, intent, owner, arrayFacts: facts }: SiteArgs): ServerArray | undefined {
    const { array, registered } = intent.generations[name] ?? {};
    const arrayConfig = config.generations[name]?.array;
    if (array === undefined || arrayConfig === undefined) return undefined;
    const generation = this.generation(name);
    const [first, ...others] = generation.targetGroups;
    return new ServerArray(
      name,
      {
        // The file's tags reach its servers by the template: those of a group would win over the generation's, and a new group
        // takes over whatever tags of the old one are not Handover's.
        owner: { ...owner, tags: undefined, generation: name, run: config.run?.id ?? "by-hand" },
        config: arrayConfig,
        intent: array,
        facts,
        registered: registered === true,
        launchTemplate: generation.launchTemplate,
        targetGroups: [first.group, ...others.map(({ group }) => group)],
        loadBalancer: this.balancer.loadBalancer,
        subnetIds: this.network.frontendSubnetIds,
      },
      { parent: generation, dependsOn: [...this.balancer.listeners] },
    );
  }
}

/** The name of an image's root device, for example `/dev/xvda`. */
export async function rootDeviceNameOf(imageId: string): Promise<string> {
  const image = await aws.ec2.getAmi({ filters: [{ name: "image-id", values: [imageId] }], includeDeprecated: true });
  return image.rootDeviceName;
}
