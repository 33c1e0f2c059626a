import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { asFound } from "./adopted.ts";
import type { ListenerConfig, RedirectConfig } from "./config/entry-schema.ts";
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
    const { idleTimeoutSeconds, accessLogs, internal } = site.loadBalancer;
    this.loadBalancer = new aws.lb.LoadBalancer(
      name,
      {
        loadBalancerType: "application",
        securityGroups: network.loadBalancerSecurityGroupIds,
        subnets: network.subnetIds,
        ...(idleTimeoutSeconds !== undefined && { idleTimeout: idleTimeoutSeconds }),
        ...(accessLogs !== undefined && { accessLogs }),
        ...(internal !== undefined && { internal }),
        tags: tags(name, owner),
      },
      // Its name in DNS goes with it.
      { parent: this, protect: true, ignoreChanges: adopted ? asFound.loadBalancer : keepId },
    );
    const entries = entriesOf(site);
    this.listeners = entries.map((entry) => this.createListener(name, entry, args));
    const speaksTls = (port: number) =>
      entries.some(({ listener }) => listener.port === port && listener.certificateArns.length > 0);
    for (const redirect of entries.flatMap(({ redirects }) => redirects))
      this.redirect(siteNames.redirect(name, redirect.port), redirect, { owner, speaksTls });
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
        ...protocolOf(entry.listener),
        defaultActions: [{ type: "forward", ...forward(entry, args, isFound) }],
        tags: tags(listenerName, owner),
      },
      { parent: this, ignoreChanges: isFound ? ["sslPolicy", "tags", "tagsAll"] : keepId },
    );
    this.certify(listenerName, entry.listener, listener);
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

  private redirect(
    name: string,
    redirect: RedirectConfig,
    { owner, speaksTls }: { readonly owner: Owner; readonly speaksTls: (port: number) => boolean },
  ): void {
    const { port, redirectTo } = redirect;
    const protocol = speaksTls(redirectTo) ? "HTTPS" : "HTTP";
    const listener = new aws.lb.Listener(
      name,
      {
        loadBalancerArn: this.loadBalancer.arn,
        port,
        ...protocolOf(redirect),
        defaultActions: [
          { type: "redirect", redirect: { port: String(redirectTo), protocol, statusCode: "HTTP_301" } },
        ],
        tags: tags(name, owner),
      },
      // One of those may have had its port, and leaves it first.
      { parent: this, ignoreChanges: keepId, dependsOn: [...this.listeners] },
    );
    this.certify(name, redirect, listener);
  }

  /** The first certificate is the listener's own. */
  private certify(name: string, { certificateArns }: ListenerConfig, { arn: listenerArn }: aws.lb.Listener): void {
    for (const certificateArn of certificateArns.slice(1)) {
      new aws.lb.ListenerCertificate(
        siteNames.certificate(name, certificateArn),
        { listenerArn, certificateArn },
        { parent: this },
      );
    }
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

function protocolOf({ certificateArns: [certificateArn], sslPolicy }: ListenerConfig) {
  if (certificateArn === undefined) return { protocol: "HTTP" };
  return { protocol: "HTTPS", certificateArn, sslPolicy: sslPolicy ?? "ELBSecurityPolicy-TLS13-1-2-2021-06" };
}
