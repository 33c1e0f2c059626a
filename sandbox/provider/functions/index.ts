import { getAmi } from "./ami.ts";
import { getAvailabilityZones } from "./availability-zones.ts";
import type { AnyFunction } from "./function.ts";

export type { AnyFunction };

export const functions: Readonly<Record<string, AnyFunction>> = {
  "aws:ec2/getAmi:getAmi": getAmi,
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
};
