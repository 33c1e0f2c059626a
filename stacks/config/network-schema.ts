import { z } from "zod";
import { distinct } from "./primitives.ts";

/** The schema of `handover:site.network`. */

const securityGroupIds = distinct(z.string().regex(/^sg-/, "must be a security group id, for example sg-0a1b2c3d")).min(
  1,
);
const subnetIds = distinct(z.string().regex(/^subnet-/, "must be a subnet id, for example subnet-0a1b2c3d"));

/** A block by its first address, as AWS writes it. */
function problemOfBlock(block: string): string | undefined {
  const [address = "", length = ""] = block.split("/");
  const parts = address.split(".").map(Number);
  if (parts.some((part) => part > 255)) return "has a number above 255, for example 10.20.0.0/16";
  const [first = 0, second = 0] = parts;
  if (first === 0 || first >= 224 || (first === 169 && second === 254))
    return "is no block for hosts; choose a private one, for example 10.20.0.0/16";
  const number = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - Number(length));
  const start = Math.floor(number / size) * size;
  if (start === number) return undefined;
  const text = [24, 16, 8, 0].map((bits) => Math.floor(start / 2 ** bits) % 256).join(".");
  return `does not begin at a block's first address; write ${text}/${length}`;
}

export const networkSchema = z
  .strictObject({
    vpcId: z
      .string()
      .regex(/^vpc-/, "must be a VPC id, for example vpc-0a1b2c3d")
      .optional()
      .describe("An existing VPC; requires `subnetIds`. Changing it replaces every server."),
    /** At least two subnets in different availability zones, as an Application Load Balancer requires. */
    subnetIds: subnetIds.min(2).optional(),
    /** Subnets for the frontends, for example private ones. Default: `subnetIds`. */
    frontendSubnetIds: subnetIds.min(1).optional(),
    /** Security groups of the load balancer. Default: one is created that opens the listener's port to the world. */
    loadBalancerSecurityGroupIds: securityGroupIds.optional(),
    /** Security groups of the frontends. Default: one is created that opens the site's port to the world. */
    frontendSecurityGroupIds: securityGroupIds.optional(),
    /** Creates a VPC with two public subnets. /16 to /24. */
    cidrBlock: z
      .string()
      .regex(
        /^\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2[0-4])$/,
        "must be an IPv4 block from /16 to /24, for example 10.20.0.0/16",
      )
      .superRefine((block, context) => {
        const message = problemOfBlock(block);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      })
      .optional(),
    egress: z
      .enum(["required", "none"])
      .optional()
      .describe(
        "Whether the servers call the Internet. Where they do, and only a public address leads there, new servers get one of their own, and no server has traffic while it has none. Default: required, as far as the live servers have it. A change affects the next generation.",
      ),
  })
  .refine(
    ({ egress: _, ...network }) =>
      network.cidrBlock === undefined
        ? network.vpcId !== undefined && network.subnetIds !== undefined
        : Object.values(network).filter((value) => value !== undefined).length === 1,
    "give either { vpcId, subnetIds, … } of an existing network or { cidrBlock } alone to create one",
  );
