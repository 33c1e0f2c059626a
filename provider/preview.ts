import { allTags, isTagged } from "./default-tags.ts";
import type { AnyResourceType } from "./resource.ts";
import type { Tags } from "./tags.ts";
import { defaultsKey, isEmpty, type Properties, unknown } from "./values.ts";

/** The outputs as far as a preview knows them. */
export function foreseen(
  type: AnyResourceType,
  inputs: Properties,
  state: Properties,
  what: "create" | "update" | "none",
  defaultTags: Tags,
): Properties {
  const { [defaultsKey]: _, ...said } = inputs;
  const result: Properties = { ...state, ...said };
  for (const [key, when] of Object.entries(type.computed)) {
    if (
      (what === "create" && !(key in type.fields)) ||
      (what === "update" && when === "onUpdate" && isEmpty(inputs[key]))
    )
      result[key] = unknown;
  }
  if (what === "create") {
    for (const [key, field] of Object.entries(type.fields)) {
      if (field?.computed && isEmpty(inputs[key])) result[key] = unknown;
      else if (field?.default !== undefined && isEmpty(inputs[key])) result[key] = field.default;
    }
  }
  if (isTagged(type)) result.tagsAll = allTags(defaultTags, inputs.tags);
  return result;
}
