import { z } from "zod";
import { httpCheck } from "./checks.ts";
import { isMatcher } from "./matcher.ts";
import { distinct, path } from "./primitives.ts";

/** The schema of a site's ways in: `handover:site.loadBalancer`, and `handover:site.entries` for those beside the first. */

export const port = z.number().int().min(1).max(65535);

const certificateArn = z.string().regex(/^arn:aws[a-z-]*:acm:/, "must be the ARN of an ACM certificate");

const healthCheckSettings = {
  path: path.default("/health"),
  intervalSeconds: z.number().int().min(5).max(300).default(5),
  timeoutSeconds: z.number().int().min(2).max(120).default(2),
  healthyThreshold: z.number().int().min(2).max(10).default(2),
  unhealthyThreshold: z.number().int().min(2).max(10).default(2),
  /** Statuses of a healthy answer, for example "200-299" or "200,302". Default: "200". */
  matcher: z
    .string()
    .refine(isMatcher, 'must be statuses from 200 to 499, for example "200-299" or "200,302"')
    .default("200"),
};

function inTime(check: { readonly timeoutSeconds: number; readonly intervalSeconds: number }): boolean {
  return check.timeoutSeconds < check.intervalSeconds;
}

const tooLate = {
  path: ["timeoutSeconds"],
  error:
    "must be less than intervalSeconds (5 where none is given), for example intervalSeconds: 10, timeoutSeconds: 5",
};

/** Settings of the target groups, of which each generation has one for each way in. */
const targetGroupSettings = {
  deregistrationDelaySeconds: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(30)
    .describe("How long a deregistered server may take to finish its requests."),
  stickinessSeconds: z
    .number()
    .int()
    .min(0)
    .max(604_800)
    .default(0)
    .describe("How long a client stays with its server; 0 turns stickiness off."),
};

const listenerSchema = z
  .strictObject({
    port: port.describe("Port of the listener, one of its own on the load balancer."),
    certificateArns: distinct(certificateArn)
      .min(1)
      .max(26)
      .optional()
      .describe(
        "ACM certificates: the listener speaks HTTPS, and the first is for clients that name no host, or none that another is for. Default: HTTP.",
      ),
    sslPolicy: z
      .string()
      .regex(
        /^ELBSecurityPolicy-/,
        "must be the name of a security policy, for example ELBSecurityPolicy-TLS13-1-2-2021-06",
      )
      .optional()
      .describe("Security policy of TLS. Default: ELBSecurityPolicy-TLS13-1-2-2021-06."),
    redirectTo: port
      .optional()
      .describe("Port of another listener, to which every request is redirected. Default: requests go to the servers."),
  })
  .refine(({ sslPolicy, certificateArns }) => sslPolicy === undefined || certificateArns !== undefined, {
    path: ["sslPolicy"],
    error: "is for a listener that speaks HTTPS; name its certificateArns",
  })
  .refine((listener) => listener.port !== 443 || listener.certificateArns !== undefined, {
    path: ["certificateArns"],
    error: "is missing: clients speak HTTPS on port 443; name a certificate of ACM, or take port 80",
  });

const listenersSchema = z
  .array(listenerSchema)
  .min(1)
  .superRefine((listeners, context) => {
    const forwarding = listeners.filter(({ redirectTo }) => redirectTo === undefined).map(({ port }) => port);
    const tell = (message: string) => context.addIssue({ code: "custom", message });
    if (listeners.length > 0 && forwarding.length === 0)
      tell("has none that reaches the servers; leave redirectTo out of one");
    if (forwarding.length > 1)
      tell(
        `has ${forwarding.length} that reach the servers (${forwarding.join(", ")}), and an entry has one; give the others redirectTo, or an entry of their own in handover:site.entries`,
      );
  });

export const loadBalancerSchema = z
  .strictObject({
    /** Port of the listener, where there is one only. */
    port: port.optional(),
    /** ACM certificate: the listener speaks HTTPS. Default: HTTP. */
    certificateArn: certificateArn.optional(),
    listeners: listenersSchema
      .optional()
      .describe(
        "Listeners, in place of `port` and `certificateArn`: one that reaches the servers, and redirects to others.",
      ),
    idleTimeoutSeconds: z
      .number()
      .int()
      .min(1)
      .max(4000)
      .optional()
      .describe("How long a connection may be idle. Default: 60, as AWS has it."),
    accessLogs: z
      .strictObject({
        bucket: z
          .string()
          .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of an S3 bucket, for example www-access-logs"),
        prefix: z
          .string()
          .regex(/^[^/](.*[^/])?$/, "must neither begin nor end with a slash, for example www/production")
          .refine((prefix) => !prefix.includes("AWSLogs"), "must not contain AWSLogs, which AWS adds itself")
          .optional(),
        enabled: z.boolean().default(true).describe("Left out, what is on stays on: state false to turn it off."),
      })
      .optional()
      .describe("Bucket for access logs, whose policy must let the load balancer write. Default: as it is in AWS."),
    internal: z
      .boolean()
      .optional()
      .describe("Whether it has private addresses only. It cannot change. Default: false."),
    healthCheck: z.strictObject(healthCheckSettings).refine(inTime, tooLate).prefault({}),
    ...targetGroupSettings,
  })
  .superRefine(({ port, certificateArn, listeners }, context) => {
    const tell = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
    if (listeners === undefined && port === undefined)
      tell("port", "is missing; it must be a number, or give listeners, for example [{ port: 80 }]");
    if (listeners !== undefined && port !== undefined)
      tell("port", "stands beside listeners, which have ports; give one of the two");
    if (listeners !== undefined && certificateArn !== undefined)
      tell("certificateArn", "stands beside listeners, which have certificateArns; give one of the two");
  });

const entrySchema = z
  .strictObject({
    port: port.describe("Port that the frontends listen on for it. It cannot change while it serves."),
    listeners: listenersSchema.describe(
      "Listeners on the site's load balancer: one that shares requests between generations as the first entry's does, and redirects to others.",
    ),
    healthCheck: z
      .strictObject({
        ...healthCheckSettings,
        port: port.optional().describe("Port that is asked. Default: the entry's."),
      })
      .refine(inTime, tooLate)
      .prefault({}),
    ...targetGroupSettings,
    smoke: z
      .array(httpCheck.omit({ headers: true }))
      .min(1)
      .optional()
      .describe(
        "HTTP checks of each new server, and through the test host name, on this entry. Default: the health check's page.",
      ),
  })
  .refine(({ port, healthCheck, smoke }) => smoke !== undefined || (healthCheck.port ?? port) === port, {
    path: ["smoke"],
    error:
      "is needed where the health check has a port of its own: name a page of the entry's, for example [{ path: / }]",
  });

/** Names stand in those of target groups, which have a capital letter where the generation's name has ended. */
const entryName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$/,
    "an entry's name has 1 to 16 of a-z, 0-9 and -, and starts with a letter, for example admin",
  );

export const entriesSchema = z
  .record(entryName, entrySchema)
  .default({})
  .describe(
    "Ways in beside the first, which `port` and `loadBalancer` describe. Every generation has a target group for each, and all of them shift, go back and drain together.",
  );

type LoadBalancerConfig = z.infer<typeof loadBalancerSchema>;

export interface ListenerConfig {
  readonly port: number;
  /** None: it speaks HTTP. */
  readonly certificateArns: readonly string[];
  /** Default: see `protocolOf` in balancer.ts. */
  readonly sslPolicy?: string | undefined;
}

/** A listener that sends clients to another one. */
export interface RedirectConfig extends ListenerConfig {
  /** That one's port. */
  readonly redirectTo: number;
}

/** A way in to the site's servers. */
export interface EntryConfig
  extends Pick<LoadBalancerConfig, "healthCheck" | "deregistrationDelaySeconds" | "stickinessSeconds"> {
  /** Undefined for the first. */
  readonly name?: string;
  /** Port that the frontends listen on. */
  readonly port: number;
  /** The one that shares its requests between generations. */
  readonly listener: ListenerConfig;
  readonly redirects: readonly RedirectConfig[];
  readonly healthCheck: LoadBalancerConfig["healthCheck"] & { readonly port?: number | undefined };
  /** Pages that stand for it. Default: the first one's are those of the upgrade, the others' that of the health check. */
  readonly smoke?: z.infer<typeof entrySchema>["smoke"] | undefined;
}

/** A site's ways in, as far as it states them. */
export interface Ways {
  readonly port: number;
  readonly loadBalancer: LoadBalancerConfig;
  readonly entries: z.infer<typeof entriesSchema>;
}

/** All ways in to a site: the one that has no name, and then the others. */
export function entriesOf({ port, loadBalancer, entries }: Ways): readonly [EntryConfig, ...EntryConfig[]] {
  const { healthCheck, deregistrationDelaySeconds, stickinessSeconds } = loadBalancer;
  return [
    { port, healthCheck, deregistrationDelaySeconds, stickinessSeconds, ...listenersOf(loadBalancer) },
    ...Object.entries(entries).map(([name, { listeners, ...entry }]) => ({
      name,
      ...entry,
      ...listenersOf({ listeners }),
    })),
  ];
}

function listenersOf({
  port = 0,
  certificateArn,
  listeners,
}: Pick<LoadBalancerConfig, "port" | "certificateArn" | "listeners">): Pick<EntryConfig, "listener" | "redirects"> {
  const only = { port, certificateArns: certificateArn === undefined ? [] : [certificateArn] };
  if (listeners === undefined) return { listener: only, redirects: [] };
  const all = listeners.map(({ certificateArns = [], ...listener }) => ({ ...listener, certificateArns }));
  return {
    listener: all.find(({ redirectTo }) => redirectTo === undefined) ?? only,
    redirects: all.flatMap(({ redirectTo, ...listener }) =>
      redirectTo === undefined ? [] : [{ ...listener, redirectTo }],
    ),
  };
}

/** The longest that a server's requests may take to finish after it has left a target group. */
export function longestDrainSeconds(site: Ways): number {
  return Math.max(...entriesOf(site).map(({ deregistrationDelaySeconds }) => deregistrationDelaySeconds));
}

/** The longest that a client may be stuck to a server. */
export function longestStickinessSeconds(site: Ways): number {
  return Math.max(...entriesOf(site).map(({ stickinessSeconds }) => stickinessSeconds));
}
