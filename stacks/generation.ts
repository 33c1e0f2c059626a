import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { asFound } from "./adopted.ts";
import { type EntryConfig, entriesOf, type GenerationConfig, type SiteConfig } from "./config.ts";
import type { GenerationIntent } from "./intent.ts";
import { components, generationNames } from "./names.ts";
import type { Network } from "./network.ts";
import { instanceArguments, templateArguments } from "./server-arguments.ts";
import { keepRun, type Owner, tags } from "./tags.ts";

export interface GenerationArgs {
  readonly owner: Owner;
  readonly config: GenerationConfig;
  readonly intent: GenerationIntent;
  readonly site: SiteConfig;
  readonly network: Network;
  /** The image's root device, for example `/dev/xvda`. */
  readonly rootDeviceName: string;
  /** Secret, since inputs may be. A change replaces the servers. */
  readonly userData: pulumi.Output<string>;
}

/** Where a generation's servers are registered for an entry. */
export interface EntryTargets {
  readonly entry: EntryConfig;
  readonly group: aws.lb.TargetGroup;
}

export interface Frontend {
  readonly name: string;
  /** 0 is the first. */
  readonly index: number;
  readonly instance: aws.ec2.Instance;
}

/**
 * One version of the frontends: servers, the target groups that they are registered in, one for each of the site's entries,
 * and a launch template from which an array launches the same servers.
 *
 * Servers state their arguments themselves, they are not launched from the template: EC2 refuses a template's network
 * interface together with a subnet, and the interface says whether an array's servers get public addresses.
 */
export class Generation extends pulumi.ComponentResource {
  readonly frontends: Frontend[];
  /** That of the first entry, and then the others'. */
  readonly targetGroups: readonly [EntryTargets, ...EntryTargets[]];
  readonly launchTemplate: aws.ec2.LaunchTemplate;
  readonly #adopted: boolean;

  constructor(name: string, args: GenerationArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Generation, name, {}, opts);
    this.#adopted = args.site.adopted === name;
    const [first, ...others] = entriesOf(args.site);
    const targets = (entry: EntryConfig) => ({ entry, group: this.createTargetGroup(name, entry, args) });
    this.targetGroups = [targets(first), ...others.map(targets)];
    this.launchTemplate = this.createLaunchTemplate(name, args);
    this.frontends = Array.from({ length: args.intent.frontends }, (_, index) => index)
      .filter((index) => args.intent.left?.includes(generationNames.instance.of(name, index)) ?? true)
      .map((index) => this.launch(name, index, args));
    if (args.intent.registered) this.register(name);
    this.registerOutputs({ targetGroupArn: this.targetGroups[0].group.arn, launchTemplateId: this.launchTemplate.id });
  }

  private launch(generation: string, index: number, args: GenerationArgs): Frontend {
    const name = generationNames.instance.of(generation, index);
    const { frontendSubnetIds: subnetIds, frontendSecurityGroupIds } = args.network;
    const owner = { ...args.owner, tags: args.config.tags };
    const own = tags(name, owner);
    const instance = new aws.ec2.Instance(
      name,
      {
        ...instanceArguments(args.config),
        subnetId: subnetIds[index % subnetIds.length],
        associatePublicIpAddress: args.network.publicAddresses[index % subnetIds.length],
        vpcSecurityGroupIds: frontendSecurityGroupIds,
        userData: args.userData,
        userDataReplaceOnChange: true,
        tags: own,
        ...(isTagged(args.config) && { volumeTags: own }),
      },
      {
        parent: this,
        ignoreChanges: this.#adopted
          ? asFound.instance
          : // The plugin reads `associatePublicIpAddress` as what the server has at the moment, which would replace it; and
            // the tags of volumes that others attach as the server's own.
            [...keepRun, "associatePublicIpAddress", "volumeTags"],
      },
    );
    return { name, index, instance };
  }

  private register(generation: string): void {
    for (const { entry, group } of this.targetGroups) {
      for (const { index, instance } of this.frontends) {
        new aws.lb.TargetGroupAttachment(
          generationNames.targetGroupAttachment.of(generation, index, entry.name),
          { targetGroupArn: group.arn, targetId: instance.id },
          { parent: this, ignoreChanges: this.isFound(entry) ? asFound.targetGroupAttachment : [] },
        );
      }
    }
  }

  /** Whether what belongs to an entry was there before the stack: only the first one's can have been. */
  private isFound({ name }: EntryConfig): boolean {
    return this.#adopted && name === undefined;
  }

  private createTargetGroup(name: string, entry: EntryConfig, { network, owner }: GenerationArgs): aws.lb.TargetGroup {
    const { healthCheck, deregistrationDelaySeconds, stickinessSeconds } = entry;
    const groupName = generationNames.targetGroup.of(name, entry.name);
    return new aws.lb.TargetGroup(
      groupName,
      {
        port: entry.port,
        protocol: "HTTP",
        vpcId: network.vpcId,
        deregistrationDelay: deregistrationDelaySeconds,
        healthCheck: {
          path: healthCheck.path,
          ...(healthCheck.port !== undefined && { port: String(healthCheck.port) }),
          matcher: healthCheck.matcher,
          interval: healthCheck.intervalSeconds,
          timeout: healthCheck.timeoutSeconds,
          healthyThreshold: healthCheck.healthyThreshold,
          unhealthyThreshold: healthCheck.unhealthyThreshold,
        },
        // Stated even when it is off: left out, it would not change.
        stickiness: {
          type: "lb_cookie",
          enabled: stickinessSeconds > 0,
          ...(stickinessSeconds > 0 && { cookieDuration: stickinessSeconds }),
        },
        tags: tags(groupName, owner),
      },
      { parent: this, ignoreChanges: this.isFound(entry) ? asFound.targetGroup : keepRun },
    );
  }

  private createLaunchTemplate(name: string, args: GenerationArgs): aws.ec2.LaunchTemplate {
    const { config, network, owner, rootDeviceName, userData } = args;
    return new aws.ec2.LaunchTemplate(
      generationNames.launchTemplate.of(name),
      {
        ...templateArguments(config, rootDeviceName),
        userData: userData.apply((text) => Buffer.from(text).toString("base64")),
        networkInterfaces: [
          {
            deviceIndex: 0,
            // One template launches in all subnets: behind a NAT gateway a public address does nothing.
            associatePublicIpAddress: String(network.publicAddresses.includes(true)),
            securityGroups: network.frontendSecurityGroupIds,
          },
        ],
        ...(isTagged(config) && { tagSpecifications: templateTags(config) }),
        updateDefaultVersion: true,
        tags: tags(name, owner),
      },
      // What a live array launches stays as it is.
      {
        parent: this,
        ignoreChanges: [...keepRun, "networkInterfaces[0].associatePublicIpAddress", "tagSpecifications"],
      },
    );
  }
}

/** Whether the file asks for tags; Handover's own come to an array's servers with the group. */
function isTagged({ tags: own }: GenerationConfig): boolean {
  return Object.keys(own).length > 0;
}

function templateTags({ tags: own }: GenerationConfig) {
  return ["instance", "volume", "network-interface"].map((resourceType) => ({ resourceType, tags: own }));
}
