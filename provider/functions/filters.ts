import type { Filter } from "@aws-sdk/client-ec2";

export interface Query {
  readonly id?: string;
  readonly filters?: readonly { readonly name: string; readonly values: string[] }[];
  readonly tags?: Readonly<Record<string, string>>;
}

export function one(Name: string, value: string): Filter {
  return { Name, Values: [value] };
}

/** Filters by name, by tags, and those of the arguments; undefined where there are none. */
export function filterList(
  { filters: own = [], tags = {} }: Query,
  named: Readonly<Record<string, string | undefined>>,
) {
  const list = [
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [one(name, value)])),
    ...Object.entries(tags).map(([key, value]) => one(`tag:${key}`, value)),
    ...own.map(({ name, values }) => ({ Name: name, Values: values })),
  ];
  return list.length === 0 ? undefined : list;
}
