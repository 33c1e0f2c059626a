import type { AnyResourceType } from "../resource.ts";
import { eip } from "./eip.ts";
import { eipAssociation } from "./eip-association.ts";
import { instance } from "./instance.ts";
import { internetGateway } from "./internet-gateway.ts";
import { route } from "./route.ts";
import { routeTable } from "./route-table.ts";
import { routeTableAssociation } from "./route-table-association.ts";
import { securityGroup } from "./security-group.ts";
import { subnet } from "./subnet.ts";
import { vpc } from "./vpc.ts";

const all: readonly AnyResourceType[] = [
  vpc,
  subnet,
  internetGateway,
  routeTable,
  route,
  routeTableAssociation,
  securityGroup,
  eip,
  eipAssociation,
  instance,
];

export const resourceTypes: Readonly<Record<string, AnyResourceType>> = Object.fromEntries(
  all.map((type) => [type.token, type]),
);
