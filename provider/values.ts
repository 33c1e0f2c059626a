import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { structs } from "./protobuf.ts";

/** A property's value as it travels between engine and provider. */
export type Value = null | string | number | boolean | Value[] | { [key: string]: Value | undefined };
export type Properties = { [key: string]: Value | undefined };

/**
 * Stands for a value that a preview does not know yet.
 * https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
 */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The inputs that the machinery chose, not the program. */
export const defaultsKey = "__defaults";

export function fromStruct(struct: Struct | undefined): Properties {
  return (struct?.toJavaScript() ?? {}) as Properties;
}

export function toStruct(properties: object): Struct {
  return structs.Struct.fromJavaScript(withoutUndefined(properties) as Record<string, never>);
}

export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether a value counts as absent: as in AWS and Terraform, an empty value is the same as none. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every((entry) => entry === undefined);
}

export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

function withoutUndefined(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.filter((entry) => entry !== undefined).map(withoutUndefined);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (entry === undefined ? [] : [[key, withoutUndefined(entry)]])),
  );
}
