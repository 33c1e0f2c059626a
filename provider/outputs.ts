import type * as pulumi from "@pulumi/pulumi";

/** The outputs of a resource class of `@pulumi/aws`, as plain values: `OutputsOf<aws.ec2.Instance>`. */
export type OutputsOf<Resource> = {
  [K in keyof Resource as K extends "urn" | "id"
    ? never
    : Resource[K] extends pulumi.OutputInstance<unknown>
      ? K
      : never]: Resource[K] extends pulumi.OutputInstance<infer T> ? T : never;
};

/** Makes members optional that may be undefined; all others are required. */
type OptionalWhereUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};

/** The outputs that a resource type's `read` returns; region and `tagsAll` are added for it. */
export type StateOf<Resource> = OptionalWhereUndefined<Omit<OutputsOf<Resource>, "region" | "tagsAll">>;

/** Outputs that are not inputs. */
export type ComputedOf<Resource, Args> = Exclude<keyof Omit<OutputsOf<Resource>, "region" | "tagsAll">, keyof Args>;
