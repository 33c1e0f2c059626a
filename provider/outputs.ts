import type * as pulumi from "@pulumi/pulumi";

/** The outputs of a resource class of `@pulumi/aws`, as plain values: `OutputsOf<aws.ec2.Instance>`. */
export type OutputsOf<Resource> = {
  [K in keyof Resource as K extends "urn" | "id"
    ? never
    : Resource[K] extends pulumi.OutputInstance<unknown>
      ? K
      : never]: Resource[K] extends pulumi.OutputInstance<infer T> ? T : never;
};

/** What may be undefined may be left out, everything else must be there. */
type OptionalWhereUndefined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};

/** What a resource type's `read` must find out; region and `tagsAll` are the machinery's. */
export type StateOf<Resource> = OptionalWhereUndefined<Omit<OutputsOf<Resource>, "region" | "tagsAll">>;

/** Outputs that are no inputs. */
export type ComputedOf<Resource, Args> = Exclude<keyof Omit<OutputsOf<Resource>, "region" | "tagsAll">, keyof Args>;
