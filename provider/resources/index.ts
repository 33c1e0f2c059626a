import type { AnyResourceType } from "../resource.ts";
import { autoscalingGroup } from "./autoscaling-group.ts";
import { autoscalingPolicy } from "./autoscaling-policy.ts";
import { autoscalingSchedule } from "./autoscaling-schedule.ts";
import { databaseSnapshot } from "./database-snapshot.ts";
import { eip } from "./eip.ts";
import { eipAssociation } from "./eip-association.ts";
import { instance } from "./instance.ts";
import { internetGateway } from "./internet-gateway.ts";
import { launchTemplate } from "./launch-template.ts";
import { listener } from "./listener.ts";
import { listenerCertificate } from "./listener-certificate.ts";
import { listenerRule } from "./listener-rule.ts";
import { loadBalancer } from "./load-balancer.ts";
import { route } from "./route.ts";
import { routeTable } from "./route-table.ts";
import { routeTableAssociation } from "./route-table-association.ts";
import { securityGroup } from "./security-group.ts";
import { securityGroupEgressRule, securityGroupIngressRule } from "./security-group-rule.ts";
import { snapshot } from "./snapshot.ts";
import { subnet } from "./subnet.ts";
import { table } from "./table.ts";
import { targetGroup } from "./target-group.ts";
import { targetGroupAttachment } from "./target-group-attachment.ts";
import { volume } from "./volume.ts";
import { vpc } from "./vpc.ts";

const all: readonly AnyResourceType[] = [
  vpc,
  subnet,
  internetGateway,
  routeTable,
  route,
  routeTableAssociation,
  securityGroup,
  securityGroupIngressRule,
  securityGroupEgressRule,
  eip,
  eipAssociation,
  instance,
  loadBalancer,
  targetGroup,
  listener,
  listenerRule,
  listenerCertificate,
  targetGroupAttachment,
  launchTemplate,
  volume,
  snapshot,
  databaseSnapshot,
  table,
  autoscalingGroup,
  autoscalingPolicy,
  autoscalingSchedule,
];

export const resourceTypes: Readonly<Record<string, AnyResourceType>> = Object.fromEntries(
  all.map((type) => [type.token, type]),
);
