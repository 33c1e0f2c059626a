import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchQuery, MetricConfig } from "../../stacks/config/watch-schema.ts";
import { metricStat } from "../cloud/balancer-metrics.ts";
import { type CloudWatch, finalUntil } from "../cloud/cloudwatch.ts";
import { instantQuery, type PrometheusAnswer } from "../cloud/prometheus.ts";
import type { Gate, Observation } from "./gate.ts";

/** Most values and warnings that are shown. */
const shown = 5;

/** Values of `$name` in queries and dimensions. */
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
  const { cloudWatch: query, prometheus } = metric;
  const ask = async (signal: AbortSignal): Promise<PrometheusAnswer> => {
    if (prometheus !== undefined)
      return instantQuery(prometheus.url, fillPlaceholders(prometheus.query, placeholders), signal);
    if (query === undefined) return { values: [], warnings: [] };
    const points = await cloudWatchPoints(cloudWatch, query, placeholders, { begun, now: clock() }, signal);
    return { values: points.map(([, value]) => value), warnings: [] };
  };
  return {
    name: `metric ${metric.name}`,
    patienceSeconds,
    whenOver: "inconclusive",
    everySeconds: query === undefined ? 5 : lookEverySeconds(query),
    async observe(signal): Promise<Observation> {
      const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = metric;
      const { values, warnings } = await ask(signal);
      const numbers = values.filter((value) => !Number.isNaN(value));
      const evidence = {
        values: numbers.length === 0 ? "none yet" : newest(numbers),
        atMost: metric.atMost,
        atLeast: metric.atLeast,
        ...(warnings.length > 0 && { warnings: warnings.slice(0, shown) }),
      };
      if (numbers.length === 0) return { verdict: "pending", evidence };
      const beyond = numbers.filter((value) => value > atMost || value < atLeast);
      if (beyond.length > 0) return { verdict: "fail", evidence: { ...evidence, beyond: newest(beyond) } };
      return { verdict: "pass", evidence };
    },
  };
}

/** The last of some values; JSON has no infinity. */
function newest(values: readonly number[]): (number | string)[] {
  return values.slice(-shown).map((value) => (Number.isFinite(value) ? value : String(value)));
}

/** The start of a period, in milliseconds since 1970, and its value. */
export type Point = readonly [time: number, value: number];

/** A query's values in the periods that lie within a time as a whole and are final, the oldest first. */
export async function cloudWatchPoints(
  cloudWatch: Pick<CloudWatch, "metricData">,
  query: CloudWatchQuery,
  placeholders: Placeholders,
  { begun, now }: { readonly begun: number; readonly now: number },
  signal: AbortSignal,
): Promise<Point[]> {
  const period = query.periodSeconds * 1000;
  const span = { start: Math.ceil(begun / period) * period, end: finalUntil(now, query.periodSeconds) };
  if (span.end <= span.start) return [];
  const series = await cloudWatch.metricData(cloudWatchQueries(query, placeholders), span, signal);
  return [...series.values()].flatMap((one) => [...one].sort(([a], [b]) => a - b));
}

/** Seconds between two questions: a value does not change within its period. */
export function lookEverySeconds({ periodSeconds }: Pick<CloudWatchQuery, "periodSeconds">): number {
  return Math.min(Math.max(periodSeconds / 4, 1), 15);
}

/** The metrics and the expression over them, of which only the last gives data. */
export function cloudWatchQueries(
  { metrics, expression, periodSeconds }: CloudWatchQuery,
  placeholders: Placeholders,
): MetricDataQuery[] {
  const queries = Object.entries(metrics).map(([Id, metric]) => {
    const dimensions = Object.fromEntries(
      Object.entries(metric.dimensions).map(([name, value]) => [name, fillPlaceholders(value, placeholders)]),
    );
    const ReturnData = expression === undefined;
    return { Id, ReturnData, MetricStat: metricStat({ ...metric, dimensions }, periodSeconds) };
  });
  return expression === undefined
    ? queries
    : [...queries, { Id: "handoverResult", Expression: expression, ReturnData: true }];
}

/** An unknown name stays as it is: a dollar sign has other uses. */
function fillPlaceholders(text: string, placeholders: Placeholders): string {
  return text.replace(/\$([a-zA-Z]+)/g, (whole, name: string) => placeholders[name] ?? whole);
}
