import { getCallerIdentity, getRegion } from "./account.ts";
import { getAmi } from "./ami.ts";
import { getAutoscalingGroup } from "./autoscaling-group.ts";
import { getAvailabilityZones } from "./availability-zones.ts";
import { getElasticIp } from "./elastic-ip.ts";
import type { AnyFunction } from "./function.ts";
import { getInstanceType } from "./instance-type.ts";
import { getInstance, getInstances } from "./instances.ts";
import { getSubnet, getVpc } from "./network.ts";
import { getParametersByPath } from "./parameters.ts";
import { getRouteTable } from "./route-table.ts";

export type { AnyFunction };

export const functions: Readonly<Record<string, AnyFunction>> = {
  "aws:autoscaling/getGroup:getGroup": getAutoscalingGroup,
  "aws:ec2/getAmi:getAmi": getAmi,
  "aws:ec2/getElasticIp:getElasticIp": getElasticIp,
  "aws:ec2/getInstance:getInstance": getInstance,
  "aws:ec2/getInstances:getInstances": getInstances,
  "aws:ec2/getInstanceType:getInstanceType": getInstanceType,
  "aws:ec2/getRouteTable:getRouteTable": getRouteTable,
  "aws:ec2/getSubnet:getSubnet": getSubnet,
  "aws:ec2/getVpc:getVpc": getVpc,
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
  "aws:index/getCallerIdentity:getCallerIdentity": getCallerIdentity,
  "aws:index/getRegion:getRegion": getRegion,
  "aws:ssm/getParametersByPath:getParametersByPath": getParametersByPath,
};
