import { DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { string } from "../fields.ts";
import { providerFunction } from "./function.ts";

export const getRegion = providerFunction<aws.GetRegionArgs, aws.GetRegionResult>({
  fields: { endpoint: string(), id: string(), name: string() },

  async invoke({ endpoint, name }, cloud) {
    const found = (await cloud.ec2.send(new DescribeRegionsCommand({ AllRegions: true }))).Regions ?? [];
    const wanted = name ?? cloud.region;
    const region = found.find((each) =>
      endpoint === undefined ? each.RegionName === wanted : each.Endpoint === endpoint,
    );
    if (region === undefined) throw new Error(`There is no region ${endpoint ?? wanted}.`);
    const { RegionName: id = "", Endpoint = "" } = region;
    // AWS has no call that tells a region's name for people.
    return { description: "", endpoint: Endpoint, id, name: id, region: id };
  },
});

export const getCallerIdentity = providerFunction<aws.GetCallerIdentityArgs, aws.GetCallerIdentityResult>({
  fields: { id: string() },

  /** The account alone: who calls would be a question to STS, for which there is no client here. */
  async invoke(_, cloud) {
    const accountId = await cloud.account();
    return { accountId, arn: "", id: accountId, userId: "" };
  },
});
