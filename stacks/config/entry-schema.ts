import { z } from "zod";
import { isMatcher } from "./matcher.ts";
import { path } from "./primitives.ts";

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

export const loadBalancerSchema = z.strictObject({
  /** Port of the listener. */
  port,
  /** ACM certificate: the listener speaks HTTPS. Default: HTTP. */
  certificateArn: certificateArn.optional(),
  healthCheck: z.strictObject(healthCheckSettings).refine(inTime, tooLate).prefault({}),
  ...targetGroupSettings,
});

const entrySchema = z
  .strictObject({
    port: port.describe("Port that the frontends listen on for it. It cannot change while it serves."),
    listeners: z
      .array(
        z.strictObject({
          port: port.describe("Port of a listener of its own on the site's load balancer."),
          certificateArns: z
            .array(certificateArn)
            .min(1)
            .max(1)
            .optional()
            .describe("ACM certificate: the listener speaks HTTPS. Default: HTTP."),
        }),
      )
      .min(1)
      .max(1)
      .describe("Its listener, which shares requests between generations as the first one does."),
    healthCheck: z
      .strictObject({
        ...healthCheckSettings,
        port: port.optional().describe("Port that is asked. Default: the entry's."),
      })
      .refine(inTime, tooLate)
      .prefault({}),
    ...targetGroupSettings,
    smoke: z
      .array(
        z.strictObject({
          path,
          expectStatus: z.number().int().min(100).max(599).default(200).describe("Status that the answer must have."),
        }),
      )
      .min(1)
      .optional()
      .describe(
        "Pages that are asked of each new server, and through the test host name, on this entry. Default: the health check's.",
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
}

/** A way in to the site's servers. */
export interface EntryConfig
  extends Pick<LoadBalancerConfig, "healthCheck" | "deregistrationDelaySeconds" | "stickinessSeconds"> {
  /** Undefined for the first. */
  readonly name?: string;
  /** Port that the frontends listen on. */
  readonly port: number;
  readonly listener: ListenerConfig;
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
  const { port: listenerPort, certificateArn, ...settings } = loadBalancer;
  const certificateArns = certificateArn === undefined ? [] : [certificateArn];
  return [
    { port, listener: { port: listenerPort, certificateArns }, ...settings },
    ...Object.entries(entries).map(
      ([
        name,
        {
          listeners: [listener],
          ...entry
        },
      ]) => {
        return {
          name,
          ...entry,
          listener: { port: listener?.port ?? 0, certificateArns: listener?.certificateArns ?? [] },
        };
      },
    ),
  ];
}

/** The longest that a server's requests may take to finish after it has left a target group. */
export function longestDrainSeconds(site: Ways): number {
  return Math.max(...entriesOf(site).map(({ deregistrationDelaySeconds }) => deregistrationDelaySeconds));
}

/** The longest that a client may be stuck to a server. */
export function longestStickinessSeconds(site: Ways): number {
  return Math.max(...entriesOf(site).map(({ stickinessSeconds }) => stickinessSeconds));
}
