import {
  CreateTagsCommand,
  DeleteTagsCommand,
  type EC2Client,
  type ResourceType,
  type Tag,
  type TagSpecification,
} from "@aws-sdk/client-ec2";

export type Tags = Readonly<Record<string, string>>;

export interface TagsChange {
  readonly added: { Key: string; Value: string }[];
  readonly removed: string[];
}

export function tagList(tags: Tags = {}): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Tags as a program writes them; those that AWS itself sets are left out. */
export function tagMap(tags: readonly Tag[] = []): Record<string, string> | undefined {
  const own = tags.filter(({ Key }) => Key !== undefined && !Key.startsWith("aws:"));
  return own.length === 0 ? undefined : Object.fromEntries(own.map(({ Key = "", Value = "" }) => [Key, Value]));
}

export function tagSpecifications(type: ResourceType, tags?: Tags): TagSpecification[] | undefined {
  const list = tagList(tags);
  return list.length === 0 ? undefined : [{ ResourceType: type, Tags: list }];
}

export function tagsChange(olds: Tags = {}, news: Tags = {}): TagsChange {
  return {
    added: tagList(news).filter(({ Key, Value }) => olds[Key] !== Value),
    removed: Object.keys(olds).filter((key) => news[key] === undefined),
  };
}

export async function updateTags(
  { ec2 }: { readonly ec2: EC2Client },
  id: string,
  olds?: Tags,
  news?: Tags,
): Promise<void> {
  const { added, removed } = tagsChange(olds, news);
  if (removed.length > 0) {
    await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: removed.map((Key) => ({ Key })) }));
  }
  if (added.length > 0) await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: added }));
}

/** Equal tags, and at least one. */
export function sameTags(found: Tags = {}, wanted: Tags = {}): boolean {
  const keys = Object.keys(wanted);
  return (
    keys.length > 0 && keys.length === Object.keys(found).length && keys.every((key) => found[key] === wanted[key])
  );
}
