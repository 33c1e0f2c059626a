import type { MetricConfig } from "../../stacks/config/watch-schema.ts";
import type { Config } from "../../stacks/config.ts";
import type { Access } from "../cloud/access.ts";
import { metricStat } from "../cloud/balancer-metrics.ts";
import { briefly } from "../cloud/client-settings.ts";
import { CloudWatch } from "../cloud/cloudwatch.ts";
import { instantQuery } from "../cloud/prometheus.ts";
import { cloudWatchQueries } from "../gates/metrics.ts";
import { type Finding, isDenied, ok, problem, reasonOf, skipped } from "./finding.ts";

const timeLimitMilliseconds = 20_000;

/** Asks once for everything that a run would watch: metrics, alarms, logs, sessions. It reads only. */
export async function checkWatched(access: Access, config: Config): Promise<Finding[]> {
  const cloudWatch = new CloudWatch(briefly(access, "cloudwatch", 2), briefly(access, "logs", 2));
  try {
    return await findingsOf(cloudWatch, config);
  } finally {
    cloudWatch.close();
  }
}

export async function findingsOf(
  cloudWatch: Pick<CloudWatch, "metricData" | "alarmStates" | "logEvents">,
  { upgrade: { comparison, metrics, alarms, logs, sessions } }: Pick<Config, "upgrade">,
): Promise<Finding[]> {
  const signal = AbortSignal.timeout(timeLimitMilliseconds);
  const lastMinutes = { start: Date.now() - 300_000, end: Date.now() };
  const requests = { namespace: "AWS/ApplicationELB", metricName: "RequestCount", dimensions: {}, stat: "Sum" };
  return Promise.all([
    ...(comparison.enabled
      ? [
          answers("comparison", () =>
            cloudWatch.metricData([{ Id: "requests", MetricStat: metricStat(requests, 60) }], lastMinutes, signal),
          ),
        ]
      : []),
    ...metrics.map((metric) => answers(`metric ${metric.name}`, () => ask(metric))),
    ...(sessions?.cloudWatch === undefined ? [] : [answers("sessions", () => ask(sessions))]),
    ...(alarms.length > 0 ? [answers("alarms", () => allExist(alarms))] : []),
    ...logs.map(({ group, pattern }) =>
      answers(`log ${group}`, () => cloudWatch.logEvents(group, pattern, lastMinutes, signal)),
    ),
  ]);

  /** The new generation is not there yet: an answer without values is an answer. */
  async function ask({ cloudWatch: query, prometheus }: Partial<MetricConfig>): Promise<void> {
    if (query !== undefined) await cloudWatch.metricData(cloudWatchQueries(query, {}), lastMinutes, signal);
    if (prometheus !== undefined) await instantQuery(prometheus.url, prometheus.query, signal);
  }

  async function allExist(names: readonly string[]): Promise<void> {
    const states = await cloudWatch.alarmStates(names, signal);
    const missing = names.filter((name) => !states.has(name));
    if (missing.length > 0)
      throw Object.assign(new Error(`there is no alarm ${missing.join(", ")}`), { name: "ResourceNotFound" });
  }
}

/** Tells a refusal, which the run would meet too, from a service that only this machine cannot reach. */
async function answers(check: string, ask: () => Promise<unknown>): Promise<Finding> {
  try {
    await ask();
    return ok(check, "answers");
  } catch (error) {
    const reason = reasonOf(error);
    if (isDenied(error)) return problem(check, `not allowed: ${reason}; docs/evidence.md names the actions`);
    if (isRefused(error)) return problem(check, `${reason}; correct it in handover:upgrade, or create what it names`);
    return skipped(check, `${reason}; a run that cannot reach it is paused`);
  }
}

function isRefused(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return /^(ResourceNotFound|Invalid|Validation|PrometheusRefused)/.test(name);
}
