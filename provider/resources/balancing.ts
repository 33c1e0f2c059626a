import {
  AddTagsCommand,
  DescribeTagsCommand,
  RemoveTagsCommand,
  type Tag,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Cloud } from "../cloud.ts";
import type { Fields } from "../fields.ts";
import { type Tags, tagList, tagMap, tagsChange } from "../tags.ts";

/** Load balancers' tags; undefined rather than none, as an API that wants at least one has it. */
export function balancingTags(tags: Tags | undefined): Tag[] | undefined {
  const list = tagList(tags);
  return list.length === 0 ? undefined : list;
}

export async function describeTags(cloud: Cloud, arn: string): Promise<Record<string, string> | undefined> {
  const answer = await cloud.loadBalancing.send(new DescribeTagsCommand({ ResourceArns: [arn] }));
  return tagMap(answer.TagDescriptions?.[0]?.Tags);
}

export async function updateBalancingTags(cloud: Cloud, arn: string, olds?: Tags, news?: Tags): Promise<void> {
  const { added, removed } = tagsChange(olds, news);
  const ResourceArns = [arn];
  if (removed.length > 0) await cloud.loadBalancing.send(new RemoveTagsCommand({ ResourceArns, TagKeys: removed }));
  if (added.length > 0) await cloud.loadBalancing.send(new AddTagsCommand({ ResourceArns, Tags: added }));
}

/** Attributes in the form of key and text, without those that nothing is said about. */
export function attributeList(attributes: Readonly<Record<string, string | number | boolean | undefined>>) {
  return Object.entries(attributes).flatMap(([Key, value]) =>
    value === undefined ? [] : [{ Key, Value: String(value) }],
  );
}

export function attributeMap(
  attributes: readonly { Key?: string; Value?: string }[] | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries((attributes ?? []).map(({ Key = "", Value }) => [Key, Value]));
}

/** Inputs that AWS keeps as attributes, by the attributes' keys. */
export type AttributeKeys<Args> = { readonly [K in keyof Args]?: string };

/** The attributes to send: those that differ from before. */
export function changedAttributes<Args>(
  keys: AttributeKeys<Args>,
  news: Args,
  olds: Partial<Args>,
): Record<string, string | number | boolean | undefined> {
  const inputs = Object.keys(keys) as (keyof Args)[];
  return Object.fromEntries(
    inputs.flatMap((input) => (news[input] === olds[input] ? [] : [[keys[input], news[input]]])),
  );
}

/** Attributes as inputs have them, in the inputs' types. */
export function describeAttributes<Args, Keys extends AttributeKeys<Args>>(
  keys: Keys,
  fields: Fields<Args>,
  attributes: Readonly<Record<string, string | undefined>>,
): Pick<Args, keyof Keys & keyof Args> {
  const inputs = Object.keys(keys) as (keyof Args & keyof Keys)[];
  return Object.fromEntries(
    inputs.flatMap((input) => {
      const value = attributes[String(keys[input])];
      const type = fields[input]?.type;
      if (value === undefined) return [];
      return [[input, type === "number" ? Number(value) : type === "boolean" ? value === "true" : value]];
    }),
  ) as Pick<Args, keyof Keys & keyof Args>;
}
