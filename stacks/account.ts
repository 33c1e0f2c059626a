import * as aws from "@pulumi/aws";

/** The account in which the engine's plugin works, asked by a program that declares nothing. */
export async function account(): Promise<string> {
  return (await aws.getCallerIdentity({})).accountId;
}
