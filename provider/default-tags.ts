import { canonicalJson } from "../automation/ledger/canonical.ts";
import type { Difference } from "./diff.ts";
import type { AnyResourceType } from "./resource.ts";
import type { Tags } from "./tags.ts";
import { hasUnknown, isEmpty, isObject, type Properties, unknown, type Value } from "./values.ts";

/** Tells whether the resource takes the provider's default tags. An Auto Scaling group's tags have another form. */
export function isTagged({ fields }: AnyResourceType): boolean {
  return fields.tags?.type === "map";
}

/** Tags as they are sent to AWS. A resource's own override the provider's. */
export function allTags(defaults: Tags, tags: Value | undefined): Value {
  if (tags === unknown) return unknown;
  return { ...defaults, ...(isObject(tags) ? tags : {}) };
}

/** The tags in the cloud that are the resource's own, not the provider's defaults. */
export function ownTags(found: Value | undefined, defaults: Tags, written: Value | undefined): Properties | undefined {
  const all = isObject(found) ? found : {};
  const said = isObject(written) ? written : {};
  const own = Object.entries(all).filter(([key, value]) => defaults[key] !== value || said[key] !== undefined);
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Changes of the default tags, in the program or in the cloud. Changes of `tags` are found elsewhere. */
export function tagsDifferences(
  type: AnyResourceType,
  defaults: Tags,
  state: Properties,
  news: Properties,
): Difference[] {
  if (!isTagged(type) || state.tagsAll === undefined) return [];
  const after = allTags(defaults, news.tags);
  if (hasUnknown(after) || canonicalJson(after) === canonicalJson(state.tagsAll)) return [];
  return [{ path: "tagsAll", kind: isEmpty(state.tagsAll) ? "add" : "update", replace: false }];
}
