import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceStatus } from "@aws-sdk/client-ec2";
import type { TargetHealth } from "@aws-sdk/client-elastic-load-balancing-v2";
import { type HttpCheck, httpCheckOf } from "../../stacks/config/checks.ts";
import type { UpgradeConfig } from "../../stacks/config.ts";
import { type Entry, entriesIn, targetsOf } from "../../stacks/outputs.ts";
import { lasting } from "../cloud/absence.ts";
import { messageOf } from "../errors.ts";
import { type GateContext, generationOf, ofEntry } from "../gates/context.ts";
import { metricWithin } from "../gates/metrics.ts";
import { type Miss, missOf, nodesOf, type Place } from "../gates/smoke.ts";
import type { Baseline, Finding } from "../ledger/events.ts";
import { arrayServing } from "./array.ts";
import { balancerPlace, checkId, httpChecksOf, usualPage } from "./questions.ts";
import { logId, placeholdersOf } from "./watched.ts";

/** For everything together, in seconds. */
const timeLimitSeconds = 45;
/** A single miss is no finding: so often something is asked, with a second between. */
const looks = 3;
/** The minutes before the run whose metrics and logs count. */
const metricMinutes = 5;
const logMinutes = 15;

/** A part of the old generation, as it was seen. */
interface Seen {
  readonly bad: readonly Finding[];
  readonly answers: boolean;
}

/**
 * The site as it is before a run: everything that will judge the new generation is asked of the old one. What cannot be
 * asked is told, and counts as it always does.
 * @param context the old generation serves alone
 */
export async function lookBefore(context: GateContext, stop: AbortSignal): Promise<Baseline> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeLimitSeconds * 1000)]);
  const { metrics, alarms, logs } = context.config.upgrade;
  const unseen: string[] = [];
  const orUnseen = async <T>(what: string, unknown: T, look: () => Promise<T>): Promise<T> => {
    try {
      return await look();
    } catch (error) {
      unseen.push(context.redact(`${what}: ${signal.aborted ? "no answer in time" : messageOf(error)}`));
      return unknown;
    }
  };
  // What cannot be asked may well answer.
  const alive: Seen = { bad: [], answers: true };
  const [site, watched] = await Promise.all([
    Promise.all([
      orUnseen("servers", alive, () => servers(context, signal)),
      orUnseen("load balancer", alive, () => checks(context, signal)),
      orUnseen("addresses", alive, () => addresses(context, signal)),
    ]),
    Promise.all([
      orUnseen("array", [], () => array(context, signal)),
      orUnseen("alarms", [], () => inAlarm(context, alarms, signal)),
      ...metrics.map((metric) => orUnseen(`metric ${metric.name}`, [], () => beyondLimit(context, metric, signal))),
      ...logs.map((log) => orUnseen(`log ${logId(log)}`, [], () => logged(context, log, signal))),
    ]),
  ]);
  const bad = [...site.flatMap((part) => part.bad), ...watched.flat()];
  return {
    down: site.every(({ answers }) => !answers),
    bad: bad.map((each) => ({ ...each, seen: context.redact(each.seen).replace(/\s+/g, " ") })),
    unseen,
  };
}

async function servers({ aws, after, from }: GateContext, signal: AbortSignal): Promise<Seen> {
  const generation = generationOf(after, from);
  const { frontends } = generation;
  const ids = frontends.map(({ instanceId }) => instanceId);
  let answers = false;
  const look = async () => {
    const [statuses, healths] = await Promise.all([
      aws.instanceStatuses(ids, signal),
      Promise.all(
        targetsOf(generation).map(async ({ entry, targetGroupArn }) => {
          return { entry, health: await aws.targetHealth(targetGroupArn, signal) };
        }),
      ),
    ]);
    // An array's servers are registered too.
    const all = healths.flatMap(({ health }) => [...health.values()]);
    answers = all.some(({ TargetHealth }) => TargetHealth?.State === "healthy");
    return frontends.flatMap(({ name, instanceId: id }): Finding[] => {
      const troubles = healths.flatMap(({ entry, health }): Finding[] => {
        const seen = troubleOf(statuses.get(id), health.get(id)?.TargetHealth);
        return seen === undefined ? [] : [{ kind: "server", id: ofEntry(id, entry), name: ofEntry(name, entry), seen }];
      });
      // What is wrong with it for the first entry is said once.
      const [first] = troubles;
      return first?.id === id ? [first] : troubles;
    });
  };
  // What AWS shows may be how things were.
  const bad = await lasting(look, ({ id }) => id, aws.absentSeconds, signal);
  return { bad, answers };
}

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html */
function troubleOf(status: InstanceStatus | undefined, target: TargetHealth | undefined): string | undefined {
  const { InstanceState, InstanceStatus, SystemStatus } = status ?? {};
  if (InstanceState?.Name !== "running") return InstanceState?.Name ?? "missing";
  if ([InstanceStatus?.Status, SystemStatus?.Status].includes("impaired")) return "impaired";
  if (target?.State === "healthy" || target?.State === "initial") return undefined;
  return [target?.State ?? "not registered", target?.Reason].filter((word) => word !== undefined).join(", ");
}

async function array(context: GateContext, signal: AbortSignal): Promise<readonly Finding[]> {
  const { aws, from, after } = context;
  const id = generationOf(after, from).array?.name ?? "";
  const [gate] = arrayServing(context, from);
  if (gate === undefined) return [];
  const look = async (): Promise<Finding[]> => {
    const { verdict, evidence } = await gate.observe(signal);
    return verdict === "pass" ? [] : [{ kind: "array", id, name: `of ${from}`, seen: JSON.stringify(evidence) }];
  };
  // Autoscaling may be replacing a server.
  return lasting(look, () => id, aws.absentSeconds, signal);
}

/** The checks that the old generation does not pass through the public name: they may be as new as the other one. */
async function checks(context: GateContext, signal: AbortSignal): Promise<Seen> {
  const each = await Promise.all(entriesIn(context.after).map((entry) => checksOf(context, entry, signal)));
  return { bad: each.flatMap(({ bad }) => bad), answers: each.some(({ answers }) => answers) };
}

async function checksOf(context: GateContext, entry: Entry, signal: AbortSignal): Promise<Seen> {
  const { config, after, from, redact } = context;
  const nodes = await nodesOf(balancerPlace(entry, after.hostname));
  const all = [usualPage(context, entry.name), ...httpChecksOf(config, entry.name)];
  const asked = await Promise.all(
    all.map(async (check) => {
      const strict = { ...check, passes: Math.max(looks, check.passes) };
      const misses = nodes.map((place) => missOf({ place, check: strict }, { redact }, signal));
      return { check, misses: await Promise.all(misses) };
    }),
  );
  // Users ask for pages, whatever the checks are of.
  const pages = await Promise.all(
    nodes.map((place) => missOf({ place, check: httpCheckOf({ path: "/" }) }, { redact }, signal)),
  );
  mustBeSeen(asked.flatMap(({ misses }) => misses));
  const bad = asked.flatMap(({ check, misses }): Finding[] => {
    const miss = misses.find((each) => each !== undefined);
    if (miss === undefined) return [];
    const name = ofEntry(`${check.method} ${check.path} of ${from}`, entry.name);
    return [
      { kind: "check", id: checkId(check, entry.name), name, seen: `${miss.answered} instead of ${miss.expected}` },
    ];
  });
  return { bad, answers: [pages, ...asked.map(({ misses }) => misses)].flat().some(isAlive) };
}

async function addresses(context: GateContext, signal: AbortSignal): Promise<Seen> {
  const { after, from, redact } = context;
  const { frontends, port } = generationOf(after, from);
  const held = after.addresses.filter(({ instanceId }) => frontends.some((each) => each.instanceId === instanceId));
  const check = usualPage(context, undefined);
  const asked = await Promise.all(
    held.map(async ({ publicIp, allocationId }) => {
      const question = { protocol: "http", address: publicIp, port, host: after.hostname } as const;
      return { publicIp, allocationId, miss: await lastMiss({ name: publicIp, question }, check, redact, signal) };
    }),
  );
  mustBeSeen(asked.map(({ miss }) => miss));
  const bad = asked.flatMap(({ publicIp, allocationId: id, miss }): Finding[] =>
    miss === undefined ? [] : [{ kind: "address", id, name: publicIp, seen: String(miss.answered) }],
  );
  return { bad, answers: asked.some(({ miss }) => isAlive(miss)) };
}

function isAlive(miss: Miss | undefined): boolean {
  return miss?.failed !== true;
}

/** @throws Error for what cannot be reached from here: it may serve everybody else */
function mustBeSeen(misses: readonly (Miss | undefined)[]): void {
  const away = misses.find((miss) => miss?.unreachable);
  if (away !== undefined) throw new Error(`${away.at}: ${away.answered}`);
}

async function lastMiss(place: Place, check: HttpCheck, redact: (text: string) => string, signal: AbortSignal) {
  for (let look = 1; ; look++) {
    const miss = await missOf({ place, check }, { redact }, signal);
    if (miss === undefined || miss.unreachable || look === looks) return miss;
    await sleep(1000, undefined, { signal });
  }
}

async function inAlarm({ aws }: GateContext, names: readonly string[], signal: AbortSignal): Promise<Finding[]> {
  if (names.length === 0) return [];
  const states = await aws.cloudWatch.alarmStates(names, signal);
  const ringing = names.filter((name) => states.get(name) === "ALARM");
  return ringing.map((name) => ({ kind: "alarm", id: name, name, seen: "in ALARM" }));
}

async function beyondLimit(
  { aws, after, from }: GateContext,
  metric: UpgradeConfig["metrics"][number],
  signal: AbortSignal,
): Promise<Finding[]> {
  const { name } = metric;
  const now = Date.now();
  const period = metric.cloudWatch?.periodSeconds ?? 0;
  const times = [now - Math.max(metricMinutes * 60, looks * period) * 1000];
  const gate = metricWithin(aws.cloudWatch, metric, placeholdersOf(after, from, from), 0, () => times.shift() ?? now);
  const { verdict, evidence } = await gate.observe(signal);
  // Without a value nothing is known.
  return verdict === "fail" ? [{ kind: "metric", id: name, name, seen: JSON.stringify(evidence) }] : [];
}

async function logged(
  { aws }: GateContext,
  log: UpgradeConfig["logs"][number],
  signal: AbortSignal,
): Promise<Finding[]> {
  const now = Date.now();
  const span = { start: now - logMinutes * 60_000, end: now };
  const { events } = await aws.cloudWatch.logEvents(log.group, log.pattern, span, signal);
  const perMinute = Number((events.length / logMinutes).toFixed(2));
  if (perMinute <= log.atMost) return [];
  const id = logId(log);
  return [{ kind: "log", id, name: id, seen: `${perMinute} a minute`, perMinute }];
}
