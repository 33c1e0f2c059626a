import {
  AddTagsCommand,
  DescribeTagsCommand,
  RemoveTagsCommand,
  type Tag,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Cloud } from "../cloud.ts";
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
