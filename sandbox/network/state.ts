/** Messages from the cloud to the network, and its reports back. See sandbox/README.md. */

export interface CloudState {
  /** Grows with every change. */
  readonly revision: number;
  readonly instances: readonly InstanceState[];
  readonly subnets: readonly SubnetState[];
  readonly addresses: readonly ElasticIpState[];
  readonly loadBalancers: readonly LoadBalancerState[];
  readonly targetGroups: readonly TargetGroupState[];
}

export interface InstanceState {
  readonly id: string;
  readonly state: "pending" | "running" | "shutting-down" | "terminated" | "stopping" | "stopped";
  readonly privateIp: string;
  /** An Elastic IP, or one that AWS assigned by itself. */
  readonly publicIp: string | null;
  readonly subnetId: string;
  /** Decoded user data; empty when there is none. */
  readonly userData: string;
  /** Ports on which new connections through its Elastic IP are held back. Default: none. */
  readonly quietPorts?: readonly number[];
}

export interface SubnetState {
  readonly id: string;
  /** Where packets for the Internet go; null: nowhere. */
  readonly defaultRoute: {
    /** `igw-…`, `nat-…`, `tgw-…`, … */
    readonly target: string;
    /** The address by which the target passes them on, where the cloud knows it. */
    readonly publicIp: string | null;
  } | null;
}

export interface ElasticIpState {
  readonly allocationId: string;
  readonly publicIp: string;
  /** The instance that holds the address, as the control plane has it; the network adds each client's delay. */
  readonly instanceId: string | null;
}

export interface LoadBalancerState {
  readonly arn: string;
  /** The loopback addresses of its nodes: what its DNS name resolves to, see resolve.ts. */
  readonly addresses: readonly string[];
  readonly listeners: readonly ListenerState[];
}

export interface ListenerState {
  readonly arn: string;
  readonly port: number;
  /** In the order in which they are evaluated; the default rule is last and has no conditions. */
  readonly rules: readonly RuleState[];
}

export interface RuleState {
  readonly arn: string;
  /** Host header conditions (wildcards `*` and `?`); empty: every host. */
  readonly hosts: readonly string[];
  /** Path pattern conditions (wildcards `*` and `?`); empty: every path. */
  readonly paths: readonly string[];
  readonly action: ForwardAction | FixedResponseAction | RedirectAction;
}

export interface ForwardAction {
  readonly type: "forward";
  readonly targetGroups: readonly { readonly arn: string; readonly weight: number }[];
  /** Target group stickiness of the action, in seconds; 0: off. */
  readonly stickinessSeconds: number;
}

export interface FixedResponseAction {
  readonly type: "fixed-response";
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Each part as AWS has it, with `#{host}`, `#{port}`, `#{path}`, `#{query}` and `#{protocol}` for those of the request. */
export interface RedirectAction {
  readonly type: "redirect";
  readonly status: 301 | 302;
  readonly protocol: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
}

export interface TargetGroupState {
  readonly arn: string;
  readonly port: number;
  readonly healthCheck: {
    readonly enabled: boolean;
    readonly path: string;
    /** A number, or `traffic-port`. */
    readonly port: string;
    readonly intervalSeconds: number;
    readonly timeoutSeconds: number;
    readonly healthyThreshold: number;
    readonly unhealthyThreshold: number;
    /** HTTP codes that count as a success, as AWS writes them: `200`, `200-299`, `200,302`. */
    readonly matcher: string;
  };
  readonly deregistrationDelaySeconds: number;
  /** `lb_cookie` stickiness of the group's targets, in seconds; 0: off. */
  readonly stickinessSeconds: number;
  readonly algorithm: "round_robin" | "least_outstanding_requests" | "weighted_random";
  /** Registered targets, and those that are draining until the cloud drops them after the delay. */
  readonly targets: readonly {
    readonly instanceId: string;
    readonly port: number;
    readonly draining: boolean;
  }[];
}

/** A target group's answers on one node of the load balancer in one second. */
export interface TargetGroupMetrics {
  readonly node: string;
  readonly targetGroupArn: string;
  /** When, in seconds since 1970. */
  readonly timestamp: number;
  readonly requests: number;
  /** Answers with 5xx. */
  readonly errors: number;
  /** Answers with 4xx. */
  readonly clientErrors: number;
  /** Times until the targets began their answers, and the number of answers for each. */
  readonly seconds: readonly number[];
  readonly counts: readonly number[];
}

/** What is established through the Elastic IPs of an instance that holds new connections back. */
export interface ConnectionsReport {
  readonly instanceId: string;
  readonly established: number;
  /** Requests that have no answer yet. */
  readonly busy: readonly string[];
}

export interface TargetHealthReport {
  readonly targetGroupArn: string;
  readonly instanceId: string;
  readonly port: number;
  readonly state: "initial" | "healthy" | "unhealthy";
  /** As AWS names it, for example `Target.ResponseCodeMismatch`, `Target.Timeout`, `Target.FailedHealthChecks`. */
  readonly reason?: string;
  readonly description?: string;
}
