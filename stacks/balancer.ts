import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { asFound } from "./adopted.ts";
import { type EntryConfig, entriesOf, type SiteConfig } from "./config.ts";
import { components, siteNames } from "./names.ts";
import type { Network } from "./network.ts";
import { keepId, type Owner, tags } from "./tags.ts";

export interface BalancerArgs {
  readonly owner: Owner;
  readonly site: SiteConfig;
  readonly network: Network;
  /** Each generation's share of the public traffic in percent: the same for all entries. */
  readonly weights: Readonly<Record<string, number>>;
  /** The generation that the test host name reaches. */
  readonly testTarget: string;
  /** A generation's target group of an entry. */
  readonly targetGroupArn: (generation: string, entry: EntryConfig) => pulumi.Output<string>;
}

/** The load balancer: for each entry a listener that shares traffic between generations, and a rule for the test host name. */
export class Balancer extends pulumi.ComponentResource {
  readonly loadBalancer: aws.lb.LoadBalancer;
  /** Those that share traffic. */
  readonly listeners: readonly aws.lb.Listener[];

  constructor(name: string, args: BalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super(components.Balancer, name, {}, opts);
    const { site, network, owner } = args;
    const adopted = site.adopted !== undefined;
    this.loadBalancer = new aws.lb.LoadBalancer(
      name,
      {
        loadBalancerType: "application",
        securityGroups: network.loadBalancerSecurityGroupIds,
        subnets: network.subnetIds,
        tags: tags(name, owner),
      },
      // Its name in DNS goes with it.
      { parent: this, protect: true, ignoreChanges: adopted ? asFound.loadBalancer : keepId },
    );
    this.listeners = entriesOf(site).map((entry) => this.createListener(name, entry, args));
    this.registerOutputs({ dnsName: this.loadBalancer.dnsName });
  }

  private createListener(name: string, entry: EntryConfig, args: BalancerArgs): aws.lb.Listener {
    const { owner, site } = args;
    // Only the first entry's was there before the stack.
    const isFound = site.adopted !== undefined && entry.name === undefined;
    const listenerName = siteNames.entry(name, entry.name);
    const listener = new aws.lb.Listener(
      listenerName,
      {
        loadBalancerArn: this.loadBalancer.arn,
        port: entry.listener.port,
        ...protocol(entry.listener),
        defaultActions: [{ type: "forward", ...forward(entry, args, isFound) }],
        tags: tags(listenerName, owner),
      },
      { parent: this, ignoreChanges: isFound ? ["sslPolicy", "tags", "tagsAll"] : keepId },
    );
    const ruleName = siteNames.testRule(name, entry.name);
    new aws.lb.ListenerRule(
      ruleName,
      {
        listenerArn: listener.arn,
        priority: 1,
        conditions: [{ hostHeader: { values: [site.testHostname] } }],
        actions: [{ type: "forward", targetGroupArn: args.targetGroupArn(args.testTarget, entry) }],
        tags: tags(ruleName, owner),
      },
      { parent: this, ignoreChanges: keepId },
    );
    return listener;
  }
}

/** Sticky clients stay with their generation too, or the shares could move a session to a server that does not know it. */
function forward(entry: EntryConfig, { weights, targetGroupArn }: BalancerArgs, isFound: boolean) {
  const { stickinessSeconds } = entry;
  const targetGroups = Object.entries(weights).map(([generation, weight]) => {
    return { arn: targetGroupArn(generation, entry), weight };
  });
  const [only, ...others] = targetGroups;
  if (isFound && only !== undefined && others.length === 0 && stickinessSeconds === 0) {
    // The form in which AWS describes a listener that forwards to one group, so that an adopted one does not change.
    return { targetGroupArn: only.arn, forward: { targetGroups: [{ arn: only.arn, weight: 1 }] } };
  }
  return {
    forward: {
      targetGroups,
      ...(stickinessSeconds > 0 && { stickiness: { enabled: true, duration: stickinessSeconds } }),
    },
  };
}

function protocol({ certificateArns: [certificateArn] }: EntryConfig["listener"]) {
  if (certificateArn === undefined) return { protocol: "HTTP" };
  return { protocol: "HTTPS", certificateArn, sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06" };
}
