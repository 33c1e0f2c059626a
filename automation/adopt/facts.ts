import type { Address, Image, Instance, Tag, Volume } from "@aws-sdk/client-ec2";
import type { LoadBalancer, TargetGroup, TargetHealthDescription } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { ListenerAndRules } from "../cloud/routing.ts";
import { exitCodes, HandoverError } from "../errors.ts";

/** Facts that the operator states about the site. */
export interface Asked {
  readonly stack: string;
  readonly region: string;
  /** Name or ARN. */
  readonly loadBalancer: string;
  /** Default: that of the only listener that forwards to a target group. */
  readonly listenerPort?: number;
  /** Name for the existing servers' generation. */
  readonly generation: string;
  readonly hostname: string;
  readonly testHostname: string;
  /** An EBS volume or an RDS instance. */
  readonly database?: string;
}

/** AWS's description of a site that was made by hand, in AWS's words. */
export interface Facts {
  readonly loadBalancer: LoadBalancer;
  readonly listener: ListenerAndRules;
  /** Whatever else gives requests to the servers, by name. */
  readonly otherWays: readonly string[];
  readonly targetGroup: TargetGroup;
  /** Attributes of the target group. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly targets: readonly TargetHealthDescription[];
  /** The registered targets. */
  readonly instances: readonly Instance[];
  /** Their volumes. */
  readonly volumes: readonly Volume[];
  /** Elastic IPs that they hold. */
  readonly addresses: readonly Address[];
  /** The first one's; undefined when it is gone. */
  readonly image: Image | undefined;
  /** By instance id, as the server finds it. */
  readonly userData: Readonly<Record<string, Buffer | undefined>>;
  /** The instance type's own, of which an instance may have others. */
  readonly typeInfo: {
    readonly cores: number | undefined;
    readonly threads: number | undefined;
    readonly hasInstanceStore: boolean;
  };
  readonly targetGroupTags: readonly Tag[];
  /** What AWS tells of a server by calls of their own, by instance id. */
  readonly serverAttributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Ids of instances that cannot be terminated by a call. */
  readonly terminationProtected: readonly string[];
}

/** The site is not one that the program can describe, or not now. */
export function refusal(problems: readonly string[]): HandoverError {
  return new HandoverError("cannot-adopt", exitCodes.usage, [...problems, "Nothing was written."].join("\n"));
}
