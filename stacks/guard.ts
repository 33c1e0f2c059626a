import { isDeepStrictEqual } from "node:util";
import type { Config, GenerationConfig } from "./config.ts";
import { moved, shrunk } from "./losses.ts";
import { type LastOutputs, targetsOf } from "./outputs.ts";
import { fixedFields, usualServers } from "./server-arguments.ts";
import { inputDigests } from "./user-data.ts";

/**
 * Why an update must not happen, judged from the goal and what the last update left; undefined when nothing is wrong.
 * The program refuses, the driver exits 1, and a preview warns.
 */
export function objection(
  config: Config,
  last: LastOutputs | undefined,
  digestOf: (generation: GenerationConfig) => string,
): string | undefined {
  if (last === undefined) return undefined;
  return (
    redefinition(config, last, digestOf) ??
    otherEntries(config, last) ??
    moreAddresses(config, last) ??
    shrunk(config, last) ??
    moved(config, last) ??
    jump(config, last)
  );
}

/** Whether an update is one of a run between two generations. */
function isOfRun({ live: goal, run }: Config, { outputs }: LastOutputs): boolean {
  const isBetween = run === undefined ? goal !== outputs.live : run.from !== run.to;
  return isBetween || outputs.run !== null;
}

/** A run moves the Elastic IPs that are there; whoever held a new one at its beginning would not be known. */
function moreAddresses(config: Config, last: LastOutputs): string | undefined {
  const { live, addresses } = last.outputs;
  const { count } = config.site.elasticIps;
  if (count <= addresses.length || !isOfRun(config, last)) return undefined;
  return `handover:site.elasticIps: was ${addresses.length} and is ${count}, and a run moves those that are there. Add them first, with handover:live: ${live} and \`pulumi up\`, or put it back for the run`;
}

/** Both generations of a run have the same entries: others come and go with an update of their own. */
function otherEntries(config: Config, last: LastOutputs): string | undefined {
  if (!isOfRun(config, last)) return undefined;
  const [{ site }, { outputs }] = [config, last];
  const [was, now] = [outputs.entries ?? {}, site.entries].map((entries) => Object.keys(entries)) as [
    string[],
    string[],
  ];
  const gone = was.find((name) => !now.includes(name));
  const added = now.find((name) => !was.includes(name));
  if (gone !== undefined)
    return `handover:site.entries.${gone}: is gone, but it serves. Put it back for the run; an update of its own, with handover:live: ${outputs.live}, then removes it`;
  if (added !== undefined)
    return `handover:site.entries.${added}: is new, and a run is between generations with the same entries. Add it first, with handover:live: ${outputs.live} and \`pulumi up\`, or take it out for the run`;
  return undefined;
}

/** Live servers are replaced by a new generation, never in place. */
function redefinition(
  config: Config,
  last: LastOutputs,
  digestOf: (generation: GenerationConfig) => string,
): string | undefined {
  const { live: goal, generations } = config;
  const { live } = last.outputs;
  const { definitions } = last;
  const now = generations[live];
  const then = definitions[live];
  if (then === undefined) return undefined;
  if (now === undefined) {
    return `handover:generations: generation "${live}" serves, but is no longer declared; put it back until another generation is live`;
  }
  const fixed = fixedOfSite(config, last);
  if (fixed !== undefined) return fixed;
  const changed = [
    ...fixedFields.map((key) => (isDeepStrictEqual(withUsual(now)[key], withUsual(then)[key]) ? [] : [key])),
    digestOf(now) === then.userDataDigest ? [] : changedUserData(now, then.inputDigests),
  ].flat();
  if (changed.length === 0) return undefined;
  const together = goal === live ? "" : ` together with handover:live (${live} -> ${goal})`;
  return (
    `handover:generations.${live}: ${changed.join(", ")} of the live generation changed${together}; its servers would be replaced while they serve. ` +
    `Put it back and declare the change as a generation of its own, for example: next: { extends: ${live}, ... } with handover:live: next`
  );
}

/** What is not stated is as EC2 has it. */
function withUsual<T extends object>(servers: T): T {
  const stated = Object.fromEntries(Object.entries(servers).filter(([, value]) => value !== undefined));
  return { ...usualServers, ...stated } as T;
}

/** By key, where the stack's last update wrote down what each was. */
function changedUserData({ inputs }: GenerationConfig, before: Readonly<Record<string, string>> | undefined): string[] {
  if (before === undefined) return ["inputs or userDataFile"];
  const now = inputDigests(inputs);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((key) => before[key] !== now[key]);
  return keys.length === 0 ? ["userDataFile"] : keys.toSorted().map((key) => `inputs.${key}`);
}

/**
 * Compares ports: that of the first entry stands in the servers' user data, and a target group's is replaced with it. Another
 * host name is told to the next generation alone.
 */
function fixedOfSite({ site }: Config, { outputs: { live, generations } }: LastOutputs): string | undefined {
  const was = generations?.[live];
  if (was === undefined) return undefined;
  if (was.port !== site.port)
    return `handover:site.port: was ${was.port} and is ${site.port}, but the servers of ${live} listen on ${was.port} and would be replaced while they serve. Put it back; a generation that listens on another port is a site of its own: deploy it as another stack, and point the name at its load balancer`;
  for (const { entry = "", port } of targetsOf(was).slice(1)) {
    const now = site.entries[entry]?.port ?? port;
    if (now !== port)
      return `handover:site.entries.${entry}.port: was ${port} and is ${now}, but the servers of ${live} are registered with ${port} and would leave the load balancer while they serve. Put it back, and declare the other port as an entry of its own`;
  }
  return undefined;
}

/** Every new server is healthy before an old one leaves, so as many serve as before if as many are declared. */
export function fewerServers(
  { live: goal, generations, upgrade }: Config,
  { outputs: { live }, definitions }: LastOutputs,
): string | undefined {
  const [old, next] = [definitions[live]?.frontends ?? 0, generations[goal]?.frontends ?? 0];
  if (goal === live || next >= old || upgrade.allowFewer) return undefined;
  return (
    `handover:generations.${goal}.frontends: ${next} is fewer than the ${old} of ${live}, and an upgrade leaves no fewer servers in service than it found. ` +
    `Raise it to ${old}, or state that fewer are enough with handover:upgrade.allowFewer: true`
  );
}

/** From one live generation to another the stack goes phase by phase. */
function jump(config: Config, { outputs: { live } }: LastOutputs): string | undefined {
  if (config.phase !== undefined || config.live === live) return undefined;
  return (
    `handover:live is ${config.live}, but ${live} serves: one update would drop requests. Two ways on: ` +
    "`handover upgrade` walks through the phases, or step by hand with `pulumi config set handover:phase backup`, `pulumi up`, and so on for each phase of the runbook"
  );
}
