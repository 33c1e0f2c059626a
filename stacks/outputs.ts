import { z } from "zod";
import { generationNames } from "./names.ts";

/** The stack's outputs: written by the program, read by the driver and by the program's next update. */

const frontendSchema = z.object({ name: z.string(), instanceId: z.string(), privateIp: z.string() });

const arraySchema = z.object({
  /** Name of the Auto Scaling group. */
  name: z.string(),
  intent: z.enum(["active", "recorded", "suspended", "filling", "withdrawn"]),
  /** Processes that an operator had suspended before the run suspended others; only in a run. */
  suspendedByOperator: z.array(z.string()).optional(),
});

/** A listener that shares requests between generations. */
const listenerSchema = z.object({
  /** Of the load balancer. */
  arn: z.string(),
  dnsName: z.string(),
  port: z.number(),
  protocol: z.enum(["http", "https"]),
});

const targetsSchema = z.object({
  targetGroupArn: z.string(),
  /** On which its servers listen. */
  port: z.number(),
});

export const outputsSchema = z.object({
  /** The generation that serves: the fact, where `handover:live` is the goal. */
  live: z.string(),
  /** The current run, or null outside of one. */
  run: z
    .object({ id: z.string(), from: z.string(), to: z.string(), phase: z.string(), step: z.number().nullable() })
    .nullable(),
  hostname: z.string(),
  testHostname: z.string(),
  loadBalancer: listenerSchema,
  /** Ways in beside this first one, by name. Missing where there are none. */
  entries: z.record(z.string(), listenerSchema).optional(),
  /** Elastic IPs in their order, with the server that holds each. */
  addresses: z.array(
    z.object({
      publicIp: z.string(),
      allocationId: z.string(),
      instanceId: z.string(),
      /** Whether the engine refuses to release it. */
      protected: z.boolean().optional(),
      /** Set for one that the file names: the stack did not allocate it, and never releases it. */
      named: z.literal(true).optional(),
    }),
  ),
  generations: z.record(
    z.string(),
    targetsSchema.extend({
      /** Its targets of each further entry. */
      entries: z.record(z.string(), targetsSchema).optional(),
      /** Share of the public traffic, in percent. */
      weight: z.number(),
      registered: z.boolean(),
      frontends: z.array(frontendSchema),
      array: arraySchema.optional(),
    }),
  ),
  /** The run's snapshot of the database. */
  snapshot: z.object({ kind: z.enum(["ebs", "rds"]), id: z.string() }).nullable(),
  ledgerTable: z.string(),
  /** See `idTag`. Missing where the last update was before sites had ids. */
  siteId: z.string().optional(),
  /** The newest run of the driver's that changed the stack; `none` before the first. */
  lastRun: z.string().optional(),
});

const placeSchema = z.object({
  vpcId: z.string().optional(),
  cidrBlock: z.string().optional(),
  /** Of each frontend, in their order. */
  subnetIds: z.array(z.string()).optional(),
  /** Set for servers that are older than the stack. */
  adopted: z.boolean(),
});

/** Facts that each generation's servers were launched from; secret, because a digest of the inputs is among them. */
const definitionsSchema = z.record(
  z.string(),
  z.object({
    imageId: z.string(),
    rootDeviceName: z.string(),
    instanceType: z.string(),
    userDataDigest: z.string(),
    frontends: z.number(),
    /** The servers' SITE. Missing where they were launched before it could change. */
    hostname: z.string().optional(),
    inputDigests: z.record(z.string(), z.string()).optional(),
    /** Where its servers are; another place would replace them. */
    place: placeSchema.optional(),
    iamInstanceProfile: z.string().optional(),
    keyName: z.string().optional(),
    rootBlockDevice: z
      .object({
        volumeSize: z.number().optional(),
        volumeType: z.string().optional(),
        iops: z.number().optional(),
        throughput: z.number().optional(),
        kmsKeyId: z.string().optional(),
      })
      .optional(),
    metadataHopLimit: z.number().optional(),
    monitoring: z.boolean().optional(),
    cpuCredits: z.string().optional(),
    tenancy: z.string().optional(),
    placementGroup: z.string().optional(),
    /** Inputs from Systems Manager. */
    parameters: z.record(z.string(), z.object({ value: z.string(), secret: z.boolean() })).optional(),
  }),
);

export type Outputs = z.infer<typeof outputsSchema>;
export type Frontend = z.infer<typeof frontendSchema>;
export type ArrayOutputs = z.infer<typeof arraySchema>;
export type Place = z.infer<typeof placeSchema>;
export type Definitions = z.infer<typeof definitionsSchema>;

/** A way in, with its listener. */
export interface Entry {
  /** Undefined for the first. */
  readonly name: string | undefined;
  readonly listener: Outputs["loadBalancer"];
}

/** All ways in to the site: the one that has no name, and then the others. */
export function entriesIn({
  loadBalancer,
  entries = {},
}: Pick<Outputs, "loadBalancer" | "entries">): readonly [Entry, ...Entry[]] {
  return [
    { name: undefined, listener: loadBalancer },
    ...Object.entries(entries).map(([name, listener]) => ({ name, listener })),
  ];
}

/** A generation's targets of an entry. */
export interface Targets extends z.infer<typeof targetsSchema> {
  /** Undefined for the first. */
  readonly entry: string | undefined;
}

/** A generation's targets of each entry: the same servers. */
export function targetsOf({
  targetGroupArn,
  port,
  entries = {},
}: Pick<Outputs["generations"][string], "targetGroupArn" | "port" | "entries">): readonly [Targets, ...Targets[]] {
  return [
    { entry: undefined, targetGroupArn, port },
    ...Object.entries(entries).map(([entry, targets]) => ({ entry, ...targets })),
  ];
}

/** A generation's targets of one entry. */
export function targetsThrough(generation: Outputs["generations"][string], entry: string | undefined): Targets {
  const targets = targetsOf(generation).find((each) => each.entry === entry);
  if (targets === undefined) throw new Error(`The stack's outputs have no targets of entry "${entry}".`);
  return targets;
}

/** Servers of a generation, by name, whose Elastic IPs are with another one: the first address belongs to the first server. */
export function withoutAddress({ generations, addresses }: Pick<Outputs, "generations" | "addresses">, name: string) {
  const isOwn = (id: string) => generations[name]?.frontends.some(({ instanceId }) => instanceId === id) === true;
  return addresses.flatMap(({ instanceId }, index) =>
    isOwn(instanceId) ? [] : [generationNames.instance.of(name, index)],
  );
}

/** The last update's outputs, or undefined for a stack that was never deployed. */
export interface LastOutputs {
  readonly outputs: Outputs;
  readonly definitions: Definitions;
}

export function parseOutputs(values: Readonly<Record<string, unknown>>): LastOutputs | undefined {
  const outputs = outputsSchema.safeParse(values);
  const definitions = definitionsSchema.safeParse(values.definitions);
  return outputs.success && definitions.success ? { outputs: outputs.data, definitions: definitions.data } : undefined;
}
