import { entriesOf } from "./entry-schema.ts";
import { hasWildcard, overlap } from "./hosts.ts";
import { inputsIn } from "./identify.ts";
import type { SiteConfig } from "./schema.ts";
import { isBurstable, mostTags } from "./server-schema.ts";
import type { Config } from "./types.ts";

/** Problems of values that are well each for itself, and not together. */
export function togetherProblems(config: Config): string[] {
  const checks = [
    checkLive,
    checkHosts,
    checkEntries,
    checkInputs,
    checkServers,
    checkIdentify,
    checkBackup,
    checkAddresses,
  ];
  return checks.flatMap((check) => check(config));
}

function checkLive({ live, generations }: Config): string[] {
  if (generations[live] !== undefined) return [];
  return [
    `handover:live: there is no generation "${live}" in handover:generations; known: ${Object.keys(generations).join(", ") || "none"}`,
  ];
}

/** Whoever asks for a public name must not reach the generation that is tested. */
function checkHosts({ site: { hostname, testHostname } }: Config): string[] {
  const same = testHostname.toLowerCase() === hostname.toLowerCase();
  if (!same && !(hasWildcard(testHostname) && overlap(testHostname, hostname))) return [];
  return [
    `handover:site.testHostname: ${testHostname} ${same ? "is" : "also stands for"} the public name ${hostname}, whose users would reach servers that are still being tested; choose a name of its own, for example test.${hostname.replace(/^[^a-z0-9]*\.?/, "")}`,
  ];
}

/** Listeners that would meet or lead nowhere, and target groups whose names AWS would not take. */
function checkEntries({ site, generations }: Config): string[] {
  const all = entriesOf(site).map((entry) => ({ ...entry, key: keyOf(site, entry.name) }));
  const listeners = all.flatMap(({ key, listener, redirects }) => [
    { key, ...listener, redirectTo: undefined },
    ...redirects.map((redirect) => ({ key, ...redirect })),
  ]);
  const twice = listeners.flatMap(({ key, port }, index) => {
    const other = listeners.slice(0, index).find((each) => each.port === port);
    if (other === undefined) return [];
    return [
      `${key}: port ${port} has a listener already, of ${other.key}; a load balancer has one on a port, so choose another`,
    ];
  });
  const forwarding = all.map(({ listener }) => listener.port);
  const nowhere = listeners.flatMap(({ key, port, redirectTo }) =>
    redirectTo === undefined || forwarding.includes(redirectTo)
      ? []
      : [
          `${key}: port ${port} redirects to ${redirectTo}, which ${redirectTo === port ? "is itself" : "has no listener that reaches the servers"}; those that do: ${forwarding.join(", ")}`,
        ],
  );
  const names = all.flatMap(({ name }) => name ?? []);
  const tooLong = names.flatMap((name) =>
    Object.keys(generations)
      .filter((generation) => generation.length + name.length > longestGroupName)
      .map(
        (generation) =>
          `handover:site.entries.${name}: AWS takes 32 characters for the name of a target group, and that of generation "${generation}" would be longer; shorten one of the two names to ${longestGroupName} characters together`,
      ),
  );
  return [...twice, ...nowhere, ...tooLong, ...checkAdopted(site)];
}

/** Settings of a load balancer that was there before the stack stay as they are in AWS. */
function checkAdopted({ adopted, loadBalancer }: SiteConfig): string[] {
  const keys = ["listeners", "idleTimeoutSeconds", "accessLogs", "internal"] as const;
  if (adopted === undefined) return [];
  return keys
    .filter((key) => loadBalancer[key] !== undefined)
    .map(
      (key) =>
        `handover:site.loadBalancer.${key}: the load balancer was adopted and keeps what it has; remove the key${key === "listeners" ? ", and give port and certificateArn" : ", and change it in AWS"}`,
    );
}

function keyOf({ loadBalancer }: SiteConfig, entry: string | undefined): string {
  if (entry !== undefined) return `handover:site.entries.${entry}.listeners`;
  return `handover:site.loadBalancer.${loadBalancer.listeners === undefined ? "port" : "listeners"}`;
}

/** Two names, without the hyphen between them and what the engine adds: a hyphen and seven digits. */
const longestGroupName = 32 - 1 - 8;

/** Inputs that servers would not get as they are stated. */
function checkInputs({ site, generations }: Config): string[] {
  return Object.values(generations).flatMap(({ name, inputs }) => {
    const given: Readonly<Record<string, string>> = { GENERATION: name, SITE: site.hostname, PORT: String(site.port) };
    return Object.entries(inputs).flatMap(([input, value]) => {
      const key = `handover:generations.${name}.inputs.${input}`;
      const own = given[input];
      if (own !== undefined && value !== own)
        return [`${key}: servers get ${own} from Handover, whatever is stated; remove it, or give it another name`];
      if (typeof value === "string" && value.includes("\0"))
        return [`${key}: has a NUL character, at which an environment variable ends; remove it`];
      return [];
    });
  });
}

/** What EC2 refuses of servers of a type, and tags that are too many together. */
function checkServers({ generations }: Config): string[] {
  return Object.values(generations).flatMap(({ name, instanceType, cpuCredits, tags }) => {
    const key = `handover:generations.${name}`;
    return [
      ...(cpuCredits === undefined || isBurstable(instanceType)
        ? []
        : [`${key}.cpuCredits: is for burstable types, for example t3.small, not for ${instanceType}; remove it`]),
      ...(Object.keys(tags).length <= mostTags
        ? []
        : [
            `${key}.tags: with the site's, and with those of what it extends, are ${Object.keys(tags).length}; AWS takes 50, and 10 are Handover's and Pulumi's`,
          ]),
    ];
  });
}

/** What a generation says of itself has to be known for each: an answer of any other is then of none. */
function checkIdentify({ upgrade, generations }: Config): string[] {
  const inputs = inputsIn(upgrade.identify?.equals ?? "") ?? [];
  return Object.values(generations).flatMap((generation) =>
    inputs
      .filter((input) => generation.inputs[input] === undefined)
      .map(
        (input) =>
          `handover:upgrade.identify.equals: generation "${generation.name}" has no input ${input}; state it in handover:generations.${generation.name}.inputs, with the value that its servers answer`,
      ),
  );
}

function checkBackup({ site, upgrade }: Config): string[] {
  if (upgrade.backup === undefined || site.database !== undefined) return [];
  return [
    "handover:upgrade.backup: there is no database to freeze; declare handover:site.database, or remove the commands",
  ];
}

function checkAddresses({ site, generations }: Config): string[] {
  const { count } = site.elasticIps;
  return Object.values(generations)
    .filter((generation) => generation.frontends < count)
    .map(
      ({ name, frontends }) =>
        `handover:site.elasticIps: ${count} Elastic IPs need as many frontends, but generation "${name}" has ${frontends}; raise handover:generations.${name}.frontends to ${count}`,
    );
}
