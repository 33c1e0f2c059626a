import { z } from "zod";

/**
 * The schema of what a generation's servers are beside their image, type and inputs, in the words of Amazon EC2.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */

/** AWS takes 50, the tags of Handover and of the provider's configuration among them. */
export const mostTags = 40;

const ownKeys = /^(name$|handover:)/i;

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions */
function tagsOf(characters: RegExp, allowed: string) {
  const text = (most: number) => z.string().max(most).regex(characters, `has a character that ${allowed}`);
  const key = text(128)
    .min(1)
    .refine((name) => !/^aws:/i.test(name), "is AWS's own; a tag's key does not begin with aws:")
    .refine((name) => !ownKeys.test(name), "is Handover's own; give the tag another key");
  return z
    .record(key, text(256))
    .refine(
      (tags) => Object.keys(tags).length <= mostTags,
      `are too many: AWS takes 50, and 10 are Handover's and Pulumi's`,
    );
}

/** Elastic Load Balancing takes fewer characters than Amazon EC2: API_Tag.html of its reference. */
export const siteTags = tagsOf(
  /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  "AWS does not take for every resource; use letters, digits, spaces and _ . : / = + - @",
);

export const serverFields = {
  tags: tagsOf(/^[^\p{Cc}]*$/u, "cannot be printed")
    .optional()
    .describe(
      "Tags of the servers and their volumes, and of the network interfaces of the array's. They are merged key by key with the site's and with those of what is extended. A change reaches fixed servers in place, and volumes and arrays with the next generation.",
    ),
  metadataHopLimit: z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("Network hops that an answer of the metadata service may take; containers need 2. Default: 1."),
  monitoring: z
    .boolean()
    .optional()
    .describe("Whether CloudWatch has metrics of each minute (detailed monitoring), at a price. Default: false."),
  cpuCredits: z
    .enum(["standard", "unlimited"])
    .optional()
    .describe("What a burstable type does without credits. Default: as the account has it for the type."),
  tenancy: z
    .enum(["default", "dedicated"])
    .optional()
    .describe("Whether the servers' hardware is this account's alone. Default: default."),
  placementGroup: z.string().min(1).max(255).optional().describe("Name of an existing placement group. Default: none."),
};

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html */
export function isBurstable(instanceType: string): boolean {
  return /^t[234][a-z]*\./.test(instanceType);
}
