import type { Instance, Tag } from "@aws-sdk/client-ec2";
import { compare, type Difference } from "../cloud/described.ts";
import type { Facts } from "./facts.ts";
import { commonSettings, frontendsOf, rootVolume } from "./servers.ts";
import { ofAttributes, ofInstance, ofInterface, ofServerAttributes, ofTargetGroup, ofVolume } from "./usual.ts";

/**
 * In what a new generation will be another than what AWS describes, field by field: `who: field is this, and new servers
 * have that`. The same of several servers is told once.
 */
export function differences(facts: Facts): string[] {
  const { volumes, targetGroup, attributes, targetGroupTags, serverAttributes, typeInfo } = facts;
  const declared = commonSettings(facts);
  const ofType = {
    ...ofInstance,
    "MetadataOptions.HttpPutResponseHopLimit": { usual: declared.metadataHopLimit ?? 1 },
    "Monitoring.State": { usual: declared.monitoring ? "enabled" : "disabled" },
    "Placement.GroupName": { usual: declared.placementGroup },
    "Placement.Tenancy": { usual: declared.tenancy ?? "default" },
    ...(typeInfo.cores !== undefined && { "CpuOptions.CoreCount": { usual: typeInfo.cores } }),
    ...(typeInfo.threads !== undefined && { "CpuOptions.ThreadsPerCore": { usual: typeInfo.threads } }),
  };
  const ofRoot = { ...ofVolume, ...(declared.kmsKeyId !== undefined && { KmsKeyId: { usual: declared.kmsKeyId } }) };
  const ofServers = frontendsOf(facts).flatMap((instance) => {
    const { InstanceId = "", NetworkInterfaces = [] } = instance;
    const [first = {}] = NetworkInterfaces;
    const root = rootVolume(instance, volumes);
    const found = [
      ...compare(instance, ofType),
      ...compare(first, ofInterface).map(prefixed("NetworkInterfaces")),
      ...compare(root ?? {}, ofRoot).map(prefixed("root volume")),
      ...compare(serverAttributes[InstanceId] ?? {}, {
        ...ofServerAttributes,
        ...(declared.cpuCredits !== undefined && { CpuCredits: { usual: declared.cpuCredits } }),
      }),
      ...furtherAddresses(first),
      ...tagsOf(instance.Tags, declared.tags),
      ...tagsOf(root?.Tags, declared.tags).map(prefixed("root volume")),
    ];
    return found.map((difference) => ({ id: InstanceId, text: said(difference, "New servers have") }));
  });
  const byText = Map.groupBy(ofServers, ({ text }) => text);
  const ofGroup = [
    ...compare(targetGroup, ofTargetGroup),
    ...compare(attributes, ofAttributes),
    ...tagsOf(targetGroupTags),
  ];
  return [
    ...[...byText].map(([text, servers]) => `${servers.map(({ id }) => id).join(", ")}: ${text}`),
    ...ofGroup.map(
      (each) => `Target group ${targetGroup.TargetGroupName}: ${said(each, "Those of new generations have")}`,
    ),
  ];
}

/** A server has one private address; AWS lists the first among them. */
function furtherAddresses({
  PrivateIpAddresses = [],
}: NonNullable<Instance["NetworkInterfaces"]>[number]): Difference[] {
  const further = PrivateIpAddresses.filter(({ Primary }) => Primary !== true).map(
    ({ PrivateIpAddress }) => PrivateIpAddress,
  );
  if (further.length === 0) return [];
  return [{ path: "NetworkInterfaces.PrivateIpAddresses", value: further, usual: undefined, known: true }];
}

/** Tags besides the name, besides those that AWS writes, and besides those that new ones have too. */
function tagsOf(tags: readonly Tag[] = [], declared: Readonly<Record<string, string>> = {}): Difference[] {
  return tags
    .filter(({ Key = "", Value = "" }) => Key !== "Name" && !Key.startsWith("aws:") && declared[Key] !== Value)
    .map(({ Key, Value }) => ({ path: `tag ${Key}`, value: Value, usual: undefined, known: true }));
}

function prefixed(prefix: string) {
  return (difference: Difference): Difference => ({ ...difference, path: `${prefix}.${difference.path}` });
}

function said({ path, value, usual, known }: Difference, then: string): string {
  const now = typeof value === "string" ? value : JSON.stringify(value);
  const instead = known
    ? `${then} ${usual === undefined ? "none" : String(usual)}.`
    : "Handover does not know it, and does not ask for it.";
  return `${path} is ${now}. ${instead}`;
}
