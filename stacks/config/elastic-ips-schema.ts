import { z } from "zod";
import { distinct } from "./primitives.ts";

/** The schema of `handover:site.elasticIps`. */

/** A site's Elastic IPs, however the file states them. */
export interface ElasticIps {
  readonly count: number;
  /** Those that are there already, in their order. Default: the stack allocates them. */
  readonly allocationIds?: readonly string[];
  /** Where the stack allocates them. Default: in Amazon's pool. */
  readonly publicIpv4Pool?: string | undefined;
  readonly ipamPoolId?: string | undefined;
}

const most = 100;
const count = z.number().int().min(0).max(most);
const forms =
  "a number, a list of allocation ids, { count, publicIpv4Pool } or { count, ipamPoolId }, for example: elasticIps: 2";

export const elasticIpsSchema = z
  .union(
    [
      count.transform((count): ElasticIps => ({ count })),
      distinct(
        z
          .string()
          .regex(/^eipalloc-[0-9a-z]+$/, "must be an Elastic IP's allocation id, for example eipalloc-0a1b2c3d"),
      )
        .max(most)
        .transform((allocationIds): ElasticIps => ({ count: allocationIds.length, allocationIds }))
        .describe("Elastic IPs that are there already: they are used, and never allocated or released."),
      z
        .strictObject({
          count,
          publicIpv4Pool: z
            .string()
            .regex(
              /^ipv4pool-[0-9a-z-]+$/,
              "must be a pool of public IPv4 addresses, for example ipv4pool-ec2-0a1b2c3d",
            )
            .optional()
            .describe("Pool of addresses that were brought to AWS (BYOIP)."),
          ipamPoolId: z
            .string()
            .regex(/^ipam-pool-[0-9a-z]+$/, "must be an IPAM pool's id, for example ipam-pool-0a1b2c3d")
            .optional()
            .describe("Public pool of the VPC's IP Address Manager."),
        })
        .refine(
          ({ publicIpv4Pool, ipamPoolId }) => (publicIpv4Pool === undefined) !== (ipamPoolId === undefined),
          "give either publicIpv4Pool or ipamPoolId beside count; for Amazon's own addresses the number alone, for example: elasticIps: 2",
        )
        .transform((pool): ElasticIps => pool),
    ],
    { error: ({ input }) => (isForm(input) ? undefined : `must be ${forms}`) },
  )
  .prefault(0);

/** A number in quotes is told as one. */
function isForm(input: unknown): boolean {
  if (typeof input === "string") return /^\d+$/.test(input);
  return typeof input === "number" || (typeof input === "object" && input !== null);
}
