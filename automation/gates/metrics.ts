import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { MetricConfig } from "../../stacks/watch-schema.ts";
import { metricStat } from "../balancer-metrics.ts";
import type { CloudWatch } from "../cloudwatch.ts";
import { instantQuery } from "../prometheus.ts";
import type { Gate, Observation } from "./gate.ts";

/** What `$name` stands for in queries and in the values of dimensions. */
export type Placeholders = Readonly<Record<string, string>>;

/**
 * A value in CloudWatch or Prometheus keeps its limit. Of CloudWatch every period since the step began must, of
 * Prometheus every element of the answer. No value is no evidence yet.
 * @param clock the time in milliseconds since 1970
 */
export function metricWithin(
  cloudWatch: Pick<CloudWatch, "metricData">,
  metric: MetricConfig,
  placeholders: Placeholders,
  patienceSeconds: number,
  clock: () => number = Date.now,
): Gate {
  const begun = clock();
  const values = (signal: AbortSignal) =>
    metric.prometheus === undefined
      ? cloudWatchValues(cloudWatch, metric, placeholders, { begun, now: clock() }, signal)
      : instantQuery(metric.prometheus.url, filled(metric.prometheus.query, placeholders), signal);
  return {
    name: `metric ${metric.name}`,
    patienceSeconds,
    whenOver: "inconclusive",
    everySeconds: metric.cloudWatch === undefined ? 5 : Math.min(Math.max(metric.cloudWatch.periodSeconds / 4, 1), 15),
    async observe(signal): Promise<Observation> {
      const { atMost, atLeast } = metric;
      const numbers = (await values(signal)).filter((value) => !Number.isNaN(value));
      const evidence = { values: numbers.slice(-5), atMost, atLeast };
      if (numbers.length === 0) return { verdict: "pending", evidence: { ...evidence, values: "none yet" } };
      const beyond = numbers.filter(
        (value) => value > (atMost ?? Number.POSITIVE_INFINITY) || value < (atLeast ?? Number.NEGATIVE_INFINITY),
      );
      if (beyond.length > 0) return { verdict: "fail", evidence: { ...evidence, beyond: beyond.slice(-5) } };
      return { verdict: "pass", evidence };
    },
  };
}

async function cloudWatchValues(
  cloudWatch: Pick<CloudWatch, "metricData">,
  { cloudWatch: query }: MetricConfig,
  placeholders: Placeholders,
  { begun, now }: { readonly begun: number; readonly now: number },
  signal: AbortSignal,
): Promise<number[]> {
  if (query === undefined) return [];
  const period = query.periodSeconds * 1000;
  // Only periods that lie in the step as a whole.
  const span = { start: Math.ceil(begun / period) * period, end: Math.floor(now / period) * period };
  if (span.end <= span.start) return [];
  const series = await cloudWatch.metricData(cloudWatchQueries(query, placeholders), span, signal);
  return [...series.values()].flatMap((one) => [...one].sort(([a], [b]) => a - b).map(([, value]) => value));
}

/** The metrics and the expression over them, of which only the last gives data. */
export function cloudWatchQueries(
  { metrics, expression, periodSeconds }: NonNullable<MetricConfig["cloudWatch"]>,
  placeholders: Placeholders,
): MetricDataQuery[] {
  const queries = Object.entries(metrics).map(([Id, metric]) => {
    const dimensions = Object.fromEntries(
      Object.entries(metric.dimensions).map(([name, value]) => [name, filled(value, placeholders)]),
    );
    const ReturnData = expression === undefined;
    return { Id, ReturnData, MetricStat: metricStat({ ...metric, dimensions }, periodSeconds) };
  });
  return expression === undefined
    ? queries
    : [...queries, { Id: "handoverResult", Expression: expression, ReturnData: true }];
}

/** An unknown name stays as it is: a dollar sign has other uses. */
function filled(text: string, placeholders: Placeholders): string {
  return text.replace(/\$([a-zA-Z]+)/g, (whole, name: string) => placeholders[name] ?? whole);
}
