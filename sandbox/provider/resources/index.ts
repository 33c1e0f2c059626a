import type { AnyResourceType } from "../resource.ts";
import { vpc } from "./vpc.ts";

const all: readonly AnyResourceType[] = [vpc];

export const resourceTypes: Readonly<Record<string, AnyResourceType>> = Object.fromEntries(
  all.map((type) => [type.token, type]),
);
