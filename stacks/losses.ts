import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";
import type { Intent } from "./intent.ts";
import type { LastOutputs, Outputs, Place } from "./outputs.ts";

/**
 * What an update would take away that serves: servers, an array, Elastic IPs. Each is told with what leads on, and
 * nothing that is told loses what it is about.
 */

/** Servers and arrays of a generation in use of which fewer are declared than there are; undefined when there are none. */
export function shrunk({ generations }: Config, last: LastOutputs | undefined): string | undefined {
  for (const [name, { frontends, array }] of Object.entries(last?.outputs.generations ?? {})) {
    const declared = generations[name];
    if (declared === undefined) continue;
    const key = `handover:generations.${name}`;
    const ways = `Put it back, and declare the smaller size as a generation of its own, for example: next: { extends: ${name}, ... } with handover:live: next; an upgrade lets the old servers finish their requests`;
    if (declared.frontends < frontends.length)
      return `${key}.frontends: is ${declared.frontends}, but ${name} has ${frontends.length} servers in use, and one would end without being drained. ${ways}`;
    if (array !== undefined && declared.array === undefined)
      return `${key}.array: is gone, but the Auto Scaling group ${array.name} of ${name} is in use, and its servers would end without being drained. ${ways}`;
  }
  return undefined;
}

/** The place of a generation's servers, as far as another would replace them. */
export function placeOf({ site, generations }: Config, name: string): Place {
  const { network, adopted } = site;
  if (adopted === name) return { adopted: true };
  const { vpcId, cidrBlock, subnetIds = [], frontendSubnetIds = subnetIds } = network;
  const frontends = generations[name]?.frontends ?? 0;
  const ofEach = Array.from({ length: frontends }, (_, index) => frontendSubnetIds[index % frontendSubnetIds.length]);
  return {
    adopted: false,
    ...(vpcId !== undefined && { vpcId, subnetIds: ofEach.map((id) => id ?? "") }),
    ...(cidrBlock !== undefined && { cidrBlock }),
  };
}

/** Servers in use that another network would replace. */
export function moved(config: Config, last: LastOutputs | undefined): string | undefined {
  const { live = "" } = last?.outputs ?? {};
  const was = last?.definitions[live]?.place;
  if (was === undefined) return undefined;
  const now = placeOf(config, live);
  if (was.adopted !== now.adopted)
    return `handover:site.adopted: ${was.adopted ? `was ${live}` : `is ${live} now`}, and its servers would be replaced while they serve. Put it back; the key stays when the generation is gone`;
  if (isDeepStrictEqual(was, now)) return undefined;
  return `handover:site.network: the servers of ${live} are elsewhere (${JSON.stringify(was)}), and would be replaced while they serve. Put it back; another network is a site of its own: deploy it as another stack, and point the name at its load balancer`;
}

/** Generations that leave, or leave the load balancer, while they still get requests: a step that was left out. */
export function cutOff(desired: Intent, last: LastOutputs | undefined): string | undefined {
  for (const [name, was] of Object.entries(last?.outputs.generations ?? {})) {
    const next = desired.generations[name];
    const leaves = next === undefined || next.frontends < was.frontends.length;
    if (was.weight > 0 && (leaves || (was.registered && !next?.registered)))
      return `${name} has ${was.weight}% of the traffic, and this update would cut it off in the middle of its requests. Give the traffic to the other generation first: handover:phase observe to go on, or withdraw to go back, and then this`;
    if (name === last?.outputs.live && leaves && was.registered)
      return `the servers of ${name} are still in the load balancer, and this update would end them in the middle of their requests. Apply handover:phase drain first`;
  }
  return undefined;
}

/** Old servers that lose an Elastic IP, perhaps their only way to the Internet, while they have traffic: a step that was left out. */
export function shutIn({ addresses }: Intent, last: LastOutputs | undefined): string | undefined {
  const { generations = {}, addresses: held = [] } = last?.outputs ?? {};
  for (const [name, { frontends, weight }] of Object.entries(generations)) {
    const isOn = (instanceId: string) => frontends.some((frontend) => frontend.instanceId === instanceId);
    const leaving = held.filter(({ instanceId }, index) => isOn(instanceId) && addresses[index]?.generation !== name);
    if (leaving.length > 0 && weight > 0)
      return `${name} has ${weight}% of the traffic, and its servers may not be able to call the Internet once ${leaving.map(({ publicIp }) => publicIp).join(", ")} leave them. Give the traffic away first, with handover:step 1, and apply the last step when the load balancer's nodes have followed`;
  }
  return undefined;
}

type Address = Outputs["addresses"][number];

/** The Elastic IPs that are not declared any more: the last ones. */
export function leavingAddresses({ site }: Config, last: LastOutputs | undefined): readonly Address[] {
  return (last?.outputs.addresses ?? []).slice(site.elasticIps.count);
}

/** Elastic IPs whose place another would take: an address keeps its server, and what is named once stays named. */
export function misplaced({ site }: Config, last: LastOutputs | undefined): string | undefined {
  const { count, allocationIds } = site.elasticIps;
  const held = last?.outputs.addresses ?? [];
  const key = "handover:site.elasticIps";
  const ids = held.map(({ allocationId }) => allocationId).join(", ");
  if (allocationIds === undefined) {
    const named = held.filter((address) => address.named).map(({ publicIp }) => publicIp);
    if (named.length === 0) return undefined;
    return `${key}: names ${named.join(", ")} no more, and the stack would allocate others in that place, while those that users know would be on no server. Put the list back: [${ids}]`;
  }
  if (last === undefined && site.adopted !== undefined)
    return `${key}: the addresses that \`handover adopt\` found are imported first, and would be released if the file named them meanwhile. Write their number until the first \`pulumi up\`: elasticIps: ${count}`;
  const place = held.slice(0, count).findIndex(({ allocationId }, index) => allocationIds[index] !== allocationId);
  const { publicIp, allocationId } = held[place] ?? {};
  if (publicIp === undefined) return undefined;
  return `${key}[${place}]: is ${allocationIds[place]}, and ${publicIp} (${allocationId}) has that place: addresses would change servers while they serve. Begin the list with those that the site has, in their order, and put others behind: [${ids}]`;
}

/**
 * Elastic IPs that nobody said may be given up for good. The engine releases one only when the update before has taken
 * its protection off: https://www.pulumi.com/docs/iac/concepts/options/protect/
 * @param mayRelease whether this update is one that may release any
 */
export function releases(config: Config, last: LastOutputs | undefined, mayRelease: boolean): string | undefined {
  const { elasticIps, releaseAddresses } = config.site;
  const leaving = leavingAddresses(config, last);
  const kept = leaving.filter(({ publicIp, protected: isProtected }) => {
    return !mayRelease || isProtected !== false || !releaseAddresses.includes(publicIp);
  });
  if (kept.length === 0) return undefined;
  const ips = ipsOf(kept);
  const [own, named] = [kept.filter((address) => !address.named), kept.filter((address) => address.named)];
  const lost = [
    own.length > 0 && `${ipsOf(own)} would be released, and AWS gives an address that was released to somebody else`,
    named.length > 0 &&
      `${ipsOf(named)} would be on no server, and its users would reach nobody (it stays your account's)`,
  ].filter((each) => each !== false);
  const before = last?.outputs.addresses.length;
  const fewer = elasticIps.allocationIds === undefined ? `elasticIps: ${elasticIps.count}` : "the shorter list";
  return (
    `handover:site.elasticIps: was ${before} and is ${elasticIps.count}: ${lost.join("; ")}. Put it back to ${before}. ` +
    `Only where nobody uses ${ips} any more: list it in handover:site.releaseAddresses and run \`pulumi up\`, which takes its protection off; outside of a run, another \`pulumi up\` with ${fewer} then ${own.length > 0 ? "releases it" : "takes it off its server"}`
  );
}

function ipsOf(addresses: readonly Address[]): string {
  return addresses.map(({ publicIp }) => publicIp).join(", ");
}
