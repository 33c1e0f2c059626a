import { z } from "zod";

/** The schema of `handover:site.network`. */

const securityGroupIds = z
  .array(z.string().regex(/^sg-/, "must be a security group id, for example sg-0a1b2c3d"))
  .min(1);
const subnetIds = z.array(z.string().regex(/^subnet-/, "must be a subnet id, for example subnet-0a1b2c3d"));

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
      .optional(),
  })
  .refine(
    (network) =>
      network.cidrBlock === undefined
        ? network.vpcId !== undefined && network.subnetIds !== undefined
        : Object.values(network).filter((value) => value !== undefined).length === 1,
    "give either { vpcId, subnetIds, … } of an existing network or { cidrBlock } alone to create one",
  );
