/** What AWS would refuse of the `aws:*` keys of a stack's file, or of `handover:*` keys beside them. */

type Values = Readonly<Record<string, unknown>>;

/** Handover's own tags take some of the 50: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
const mostTags = 45;
/** Characters that every service takes. */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function problemsOfAwsKeys(config: Values): string[] {
  const { tags } = mapOf(config["aws:defaultTags"]);
  return [...tagProblems(mapOf(tags)), ...certificateProblems(config)];
}

function tagProblems(tags: Values): string[] {
  const key = "aws:defaultTags.tags";
  const names = Object.keys(tags);
  const each = Object.entries(tags).flatMap(([name, value]) => {
    if (/^aws:/i.test(name))
      return [`${key}.${name}: AWS keeps tags that begin with aws: to itself; choose another name`];
    if (name.length < 1 || name.length > 128) return [`${key}.${name}: a tag's name has 1 to 128 characters`];
    if (typeof value === "string" && value.length > 256)
      return [`${key}.${name}: a tag's value has at most 256 characters`];
    if (!tagText.test(name) || (typeof value === "string" && !tagText.test(value)))
      return [`${key}.${name}: tags have letters, digits, blanks and _ . : / = + - @ alone`];
    return [];
  });
  return names.length > mostTags
    ? [`${key}: ${names.length} tags are more than the ${mostTags} that go beside Handover's own; remove some`, ...each]
    : each;
}

/** A load balancer takes certificates of its own region. */
function certificateProblems(config: Values): string[] {
  const region = config["aws:region"];
  if (typeof region !== "string") return [];
  const { loadBalancer, entries } = mapOf(config["handover:site"]);
  const { certificateArn } = mapOf(loadBalancer);
  const stated = [
    ["handover:site.loadBalancer.certificateArn", certificateArn] as const,
    ...certificatesIn("handover:site.loadBalancer", loadBalancer),
    ...Object.entries(mapOf(entries)).flatMap(([name, entry]) =>
      certificatesIn(`handover:site.entries.${name}`, entry),
    ),
  ];
  return stated.flatMap(([key, arn]) => {
    const [, of] = /^arn:[^:]*:acm:([^:]*):/.exec(String(arn)) ?? [];
    if (of === undefined || of === region) return [];
    return [`${key}: is in ${of}, and the load balancer in ${region}; request or import the certificate there`];
  });
}

function certificatesIn(key: string, entry: unknown): (readonly [key: string, arn: unknown])[] {
  return listOf(mapOf(entry).listeners).flatMap((listener, at) =>
    listOf(mapOf(listener).certificateArns).map(
      (arn, index) => [`${key}.listeners[${at}].certificateArns[${index}]`, arn] as const,
    ),
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: unknown): Values {
  return typeof value === "object" && value !== null ? (value as Values) : {};
}
