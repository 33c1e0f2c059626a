import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { CloudWatch, Series, Span } from "./cloudwatch.ts";

/** A target group's answers in some periods, as the load balancer counted them. */
export interface Answers {
  readonly requests: number;
  /** Answers with 5xx. */
  readonly errors: number;
  /** Answers with 4xx. */
  readonly clientErrors: number;
  /** Answers that were slow. */
  readonly slow: number;
}

/** Which answers are slow: see `comparison.slow` of the configuration. */
export interface Slow {
  readonly percentile: number;
  readonly percent: number;
  readonly milliseconds: number;
}

const namespace = "AWS/ApplicationELB";

/**
 * The metrics of one load balancer's target groups. A period without requests is not reported, and one without errors
 * has no count of them.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
export class BalancerMetrics {
  readonly #cloudWatch: Pick<CloudWatch, "metricData">;
  readonly #loadBalancer: string;
  readonly #period: number;

  constructor(cloudWatch: Pick<CloudWatch, "metricData">, loadBalancerArn: string, periodSeconds: number) {
    this.#cloudWatch = cloudWatch;
    this.#loadBalancer = loadBalancerName(loadBalancerArn);
    this.#period = periodSeconds;
  }

  /** Requests to each target group by period. */
  async requests(targetGroupArns: readonly string[], span: Span, signal: AbortSignal): Promise<Series[]> {
    return this.#read(
      targetGroupArns.map((arn) => this.#query(arn, "RequestCount", "Sum")),
      span,
      signal,
    );
  }

  /** Computes the longest time that a target group's request may take without being slow, in seconds. */
  async threshold(
    targetGroupArn: string,
    span: Span,
    { percentile, percent, milliseconds }: Slow,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const queries = [
      this.#query(targetGroupArn, "RequestCount", "Sum"),
      this.#query(targetGroupArn, "TargetResponseTime", `p${percentile}`),
    ];
    const [requests = new Map(), times = new Map()] = await this.#read(queries, span, signal);
    let [weighted, weights] = [0, 0];
    for (const [period, time] of times) {
      const weight = requests.get(period) ?? 0;
      weighted += weight * time;
      weights += weight;
    }
    if (weights === 0) return undefined;
    const usual = weighted / weights;
    return Math.max(usual * (1 + percent / 100), usual + milliseconds / 1000);
  }

  /**
   * CloudWatch cannot merge the percentiles of periods, but it counts: `PR(:1.5)` is the percentage of requests that took
   * at most 1.5 s, and counts add up.
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
   */
  async answers(targetGroupArn: string, span: Span, threshold: number, signal: AbortSignal): Promise<Answers> {
    const queries = [
      this.#query(targetGroupArn, "RequestCount", "Sum"),
      this.#query(targetGroupArn, "HTTPCode_Target_5XX_Count", "Sum"),
      this.#query(targetGroupArn, "HTTPCode_Target_4XX_Count", "Sum"),
      this.#query(targetGroupArn, "TargetResponseTime", `PR(:${threshold.toFixed(3)})`),
    ];
    const [requests = new Map(), errors = new Map(), clientErrors = new Map(), inTime = new Map()] = await this.#read(
      queries,
      span,
      signal,
    );
    const total = { requests: 0, errors: 0, clientErrors: 0, slow: 0 };
    for (const [period, count] of requests) {
      total.requests += count;
      total.errors += errors.get(period) ?? 0;
      total.clientErrors += clientErrors.get(period) ?? 0;
      total.slow += count * (1 - (inTime.get(period) ?? 100) / 100);
    }
    return { ...total, slow: Math.round(total.slow) };
  }

  #query(targetGroupArn: string, metricName: string, stat: string): Omit<MetricDataQuery, "Id"> {
    const dimensions = { TargetGroup: targetGroupName(targetGroupArn), LoadBalancer: this.#loadBalancer };
    return { MetricStat: metricStat({ namespace, metricName, dimensions, stat }, this.#period) };
  }

  async #read(queries: readonly Omit<MetricDataQuery, "Id">[], span: Span, signal: AbortSignal): Promise<Series[]> {
    const named = queries.map((query, index) => ({ ...query, Id: `q${index}` }));
    const series = await this.#cloudWatch.metricData(named, span, signal);
    return named.map(({ Id }) => series.get(Id) ?? new Map());
  }
}

export interface Metric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly stat: string;
}

export function metricStat(
  { namespace, metricName, dimensions, stat }: Metric,
  periodSeconds: number,
): MetricDataQuery["MetricStat"] {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  return { Metric: { Namespace: namespace, MetricName: metricName, Dimensions }, Stat: stat, Period: periodSeconds };
}

/** `targetgroup/blue/0123456789abcdef`, as dimensions name it. */
export function targetGroupName(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

/** `app/www/0123456789abcdef`, as dimensions name it. */
export function loadBalancerName(arn: string): string {
  return arn.slice(arn.lastIndexOf(":loadbalancer/") + ":loadbalancer/".length);
}
