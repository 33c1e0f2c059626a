import { DescribeAvailabilityZonesCommand } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { boolean, object, set, string } from "../fields.ts";
import { providerFunction } from "./function.ts";

export const filters = set(object({ name: string({ required: true }), values: set(string(), { required: true }) }));

export const getAvailabilityZones = providerFunction<aws.GetAvailabilityZonesArgs, aws.GetAvailabilityZonesResult>({
  fields: {
    allAvailabilityZones: boolean(),
    excludeNames: set(string()),
    excludeZoneIds: set(string()),
    filters,
    state: string(),
  },

  async invoke(args, cloud) {
    const answer = await cloud.ec2.send(
      new DescribeAvailabilityZonesCommand({
        AllAvailabilityZones: args.allAvailabilityZones,
        Filters: [
          ...(args.state === undefined ? [] : [{ Name: "state", Values: [args.state] }]),
          ...(args.filters ?? []).map(({ name, values }) => ({ Name: name, Values: values })),
        ],
      }),
    );
    const zones = (answer.AvailabilityZones ?? [])
      .filter(({ ZoneName = "" }) => !args.excludeNames?.includes(ZoneName))
      .filter(({ ZoneId = "" }) => !args.excludeZoneIds?.includes(ZoneId))
      .sort((a, b) => ((a.ZoneName ?? "") < (b.ZoneName ?? "") ? -1 : 1));
    return {
      id: cloud.region,
      names: zones.map(({ ZoneName = "" }) => ZoneName),
      zoneIds: zones.map(({ ZoneId = "" }) => ZoneId),
      groupNames: [...new Set(zones.map(({ GroupName = "" }) => GroupName))],
    };
  },
});
