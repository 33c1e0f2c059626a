import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { asFound } from "./adopted.ts";
import type { SiteConfig } from "./config.ts";
import { components, siteNames } from "./names.ts";
import type { Network } from "./network.ts";
import { keepId, type Owner, tags } from "./tags.ts";

export interface BalancerArgs {
  readonly owner: Owner;
  readonly site: SiteConfig;
  readonly network: Network;
  /** The generations' target groups, with their share of the public traffic in percent. */
  readonly targetGroups: readonly { readonly arn: pulumi.Output<string>; readonly weight: number }[];
  /** The target group that the test host name reaches. */
  readonly testTargetGroupArn: pulumi.Output<string>;
}

/** The load balancer: a listener that shares traffic between generations, and a rule for the test host name. */
export class Balancer extends pulumi.ComponentResource {
  readonly loadBalancer: aws.lb.LoadBalancer;
  readonly listener: aws.lb.Listener;

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
    this.listener = new aws.lb.Listener(
      name,
      {
        loadBalancerArn: this.loadBalancer.arn,
        port: site.loadBalancer.port,
        ...protocol(site.loadBalancer.certificateArn),
        defaultActions: [{ type: "forward", ...forward(args) }],
        tags: tags(name, owner),
      },
      { parent: this, ignoreChanges: adopted ? ["sslPolicy", "tags", "tagsAll"] : keepId },
    );
    const ruleName = siteNames.testRule(name);
    new aws.lb.ListenerRule(
      ruleName,
      {
        listenerArn: this.listener.arn,
        priority: 1,
        conditions: [{ hostHeader: { values: [site.testHostname] } }],
        actions: [{ type: "forward", targetGroupArn: args.testTargetGroupArn }],
        tags: tags(ruleName, owner),
      },
      { parent: this, ignoreChanges: keepId },
    );
    this.registerOutputs({ dnsName: this.loadBalancer.dnsName });
  }
}

/** Sticky clients stay with their generation too, or the shares could move a session to a server that does not know it. */
function forward({ targetGroups, site }: BalancerArgs) {
  const { stickinessSeconds } = site.loadBalancer;
  const [only, ...others] = targetGroups;
  if (site.adopted !== undefined && only !== undefined && others.length === 0 && stickinessSeconds === 0) {
    // The form in which AWS describes a listener that forwards to one group, so that an adopted one does not change.
    return { targetGroupArn: only.arn, forward: { targetGroups: [{ arn: only.arn, weight: 1 }] } };
  }
  return {
    forward: {
      targetGroups: targetGroups.map(({ arn, weight }) => ({ arn, weight })),
      ...(stickinessSeconds > 0 && { stickiness: { enabled: true, duration: stickinessSeconds } }),
    },
  };
}

function protocol(certificateArn: string | undefined) {
  if (certificateArn === undefined) return { protocol: "HTTP" };
  return { protocol: "HTTPS", certificateArn, sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06" };
}
