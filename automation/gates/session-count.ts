import type { SessionsConfig } from "../../stacks/config/checks.ts";
import type { Frontend } from "../../stacks/outputs.ts";
import { Absence } from "../cloud/absence.ts";
import type { Aws } from "../cloud/aws.ts";
import { ask, type Question } from "../cloud/http.ts";
import { valueAt } from "../cloud/json-path.ts";
import { secondsSince } from "../elapsed.ts";
import { cloudWatchPoints, type Point } from "./metrics.ts";

/** A server's sessions as last seen; undefined when nothing is known yet. */
export type Seen = "gone" | { readonly active: number; readonly quietSeconds?: number } | undefined;

/** Looks once. @throws when the server cannot be asked */
export type SessionCount = (signal: AbortSignal) => Promise<Seen>;

export type CountsFrom = Pick<Aws, "instanceStatuses"> & { readonly cloudWatch: Pick<Aws["cloudWatch"], "metricData"> };

/**
 * A line `Field: number` of the server's status page, as Apache's `server-status?auto` has
 * (https://httpd.apache.org/docs/2.4/mod/mod_status.html), or a number in its JSON.
 */
export function onStatusPage(
  aws: CountsFrom,
  sessions: SessionsConfig,
  { instanceId }: Frontend,
  page: Omit<Question, "path">,
): SessionCount {
  const { path = "/", atMost } = sessions;
  let quietSince: number | undefined;
  const absence = new Absence();
  return async (signal) => {
    const since = quietSince;
    quietSince = undefined;
    try {
      const active = numberOn((await ask({ ...page, path }, signal)).body, sessions);
      if (active > atMost) return { active };
      quietSince = since ?? performance.now();
      return { active, quietSeconds: secondsSince(quietSince) };
    } catch (error) {
      if (await isGone(aws, instanceId, absence, signal)) return "gone";
      throw error;
    }
  };
}

/**
 * The server's own metric, in the periods that have begun since the first look. One without a value is not quiet.
 * @param clock the time in milliseconds since 1970
 */
export function inCloudWatch(
  aws: CountsFrom,
  { atMost, quietSeconds }: SessionsConfig,
  query: NonNullable<SessionsConfig["cloudWatch"]>,
  { instanceId }: Frontend,
  clock: () => number = Date.now,
): SessionCount {
  const begun = clock();
  const absence = new Absence();
  return async (signal) => {
    const points = await cloudWatchPoints(aws.cloudWatch, query, { instanceId }, { begun, now: clock() }, signal);
    const quiet = quietFor(points, atMost, query.periodSeconds);
    // A server that is gone publishes nothing more, and its last value stays.
    const proven = quiet > 0 && quiet >= quietSeconds;
    if (!proven && (await isGone(aws, instanceId, absence, signal))) return "gone";
    const [, active] = points.at(-1) ?? [];
    return active === undefined ? undefined : { active, ...(quiet > 0 && { quietSeconds: quiet }) };
  };
}

/** For how long the newest periods were quiet, with no gap between them, in seconds. */
function quietFor(points: readonly Point[], atMost: number, periodSeconds: number): number {
  const [newest = 0] = points.at(-1) ?? [];
  let quiet = 0;
  for (const [time, active] of points.toReversed()) {
    if (active > atMost || time !== newest - quiet * 1000) break;
    quiet += periodSeconds;
  }
  return quiet;
}

async function isGone(aws: CountsFrom, instanceId: string, absence: Absence, signal: AbortSignal): Promise<boolean> {
  const state = (await aws.instanceStatuses([instanceId], signal)).get(instanceId)?.InstanceState?.Name;
  return absence.isProven(state === undefined) || state === "shutting-down" || state === "terminated";
}

function numberOn(body: string, { field, json, path }: SessionsConfig): number {
  const found = json === undefined ? lineOf(body, field ?? "") : valueAt(body, json);
  const count = typeof found === "number" ? found : Number.parseFloat(String(found));
  if (Number.isFinite(count)) return count;
  const wanted = json === undefined ? `line "${field}: <number>"` : `number ${json}`;
  throw new Error(`the status page ${path} has no ${wanted}`);
}

function lineOf(body: string, field: string): string | undefined {
  const line = body.split("\n").find((candidate) => candidate.startsWith(`${field}:`));
  return line?.slice(field.length + 1);
}
