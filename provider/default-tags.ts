import type { Difference } from "./diff.ts";
import type { AnyResourceType } from "./resource.ts";
import type { Tags } from "./tags.ts";
import { canonical, hasUnknown, isEmpty, isObject, type Properties, unknown, type Value } from "./values.ts";

/** Whether the resource takes the provider's default tags; an array has tags of another kind. */
export function isTagged({ fields }: AnyResourceType): boolean {
  return fields.tags?.type === "map";
}

/** The tags that AWS gets. A resource's own win over the provider's. */
export function allTags(defaults: Tags, tags: Value | undefined): Value {
  if (tags === unknown) return unknown;
  return { ...defaults, ...(isObject(tags) ? tags : {}) };
}

/** What of the tags in the cloud a program says of the resource itself. */
export function ownTags(found: Value | undefined, defaults: Tags, written: Value | undefined): Properties | undefined {
  const all = isObject(found) ? found : {};
  const said = isObject(written) ? written : {};
  const own = Object.entries(all).filter(([key, value]) => defaults[key] !== value || said[key] !== undefined);
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** A change of the default tags, or of what is in the cloud of them; `tags` has its own differences. */
export function tagsDifferences(
  type: AnyResourceType,
  defaults: Tags,
  state: Properties,
  news: Properties,
): Difference[] {
  if (!isTagged(type) || state.tagsAll === undefined) return [];
  const after = allTags(defaults, news.tags);
  if (hasUnknown(after) || canonical(after) === canonical(state.tagsAll)) return [];
  return [{ path: "tagsAll", kind: isEmpty(state.tagsAll) ? "add" : "update", replace: false }];
}
