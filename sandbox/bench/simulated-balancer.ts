import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { Span } from "../../automation/cloud/cloudwatch.ts";
import { type Random, seededRandom } from "../network/random.ts";

/** Traffic, errors and response times of a generation. */
export interface Behaviour {
  readonly requestsPerSecond: number;
  /** Share of answers with 5xx: 0 to 1. */
  readonly errorShare: number;
  /** Share of the other answers with 4xx: 0 to 1. Default: 0. */
  readonly clientErrorShare?: number;
  /** The middle of the response times; they are log-normal, and most differ from it by less than a factor of three. */
  readonly medianMilliseconds: number;
  /** Added to every response time. */
  readonly slowMilliseconds: number;
}

interface Period {
  readonly errors: number;
  readonly clientErrors: number;
  /** Sorted, in seconds. */
  readonly seconds: readonly number[];
}

/** A load balancer's metrics without a load balancer: requests by chance, from a seed, answered as CloudWatch would. */
export class SimulatedBalancer {
  readonly #random: Random;
  readonly #groups = new Map<string, Map<number, Period>>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Requests to a target group in the periods of a span. */
  serve(targetGroup: string, { start, end }: Span, periodSeconds: number, behaviour: Behaviour): void {
    const periods = this.#groups.get(targetGroup) ?? new Map<number, Period>();
    this.#groups.set(targetGroup, periods);
    for (let time = start; time < end; time += periodSeconds * 1000) {
      periods.set(time, this.#period(periodSeconds, behaviour));
    }
  }

  #period(periodSeconds: number, { requestsPerSecond, errorShare, clientErrorShare = 0, ...times }: Behaviour): Period {
    const mean = requestsPerSecond * periodSeconds;
    const requests = Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    const seconds = Array.from(
      { length: requests },
      () => (times.medianMilliseconds * Math.exp(0.5 * this.#normal()) + times.slowMilliseconds) / 1000,
    ).sort((a, b) => a - b);
    const errors = seconds.filter(() => this.#random() < errorShare).length;
    const share = clientErrorShare * (1 - errorShare);
    const clientErrors = share === 0 ? 0 : seconds.filter(() => this.#random() < share).length;
    return { errors, clientErrors, seconds };
  }

  /** Box and Muller's way from two even numbers to a normal one. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }

  async metricData(
    queries: readonly MetricDataQuery[],
    { start, end }: Span,
  ): Promise<Map<string, Map<number, number>>> {
    const answer = new Map<string, Map<number, number>>();
    for (const { Id = "", MetricStat } of queries) {
      const { Dimensions = [], MetricName } = MetricStat?.Metric ?? {};
      const group = Dimensions.find(({ Name }) => Name === "TargetGroup")?.Value ?? "";
      const periods = [...(this.#groups.get(group) ?? [])].filter(([time]) => time >= start && time < end);
      const values = periods.flatMap(([time, period]) => {
        const value = statisticOf(period, MetricName, MetricStat?.Stat);
        return value === undefined ? [] : [[time, value] as const];
      });
      answer.set(Id, new Map(values));
    }
    return answer;
  }
}

/** Nothing where a load balancer reports nothing. */
function statisticOf({ errors, clientErrors, seconds }: Period, metric = "", stat = ""): number | undefined {
  if (seconds.length === 0) return undefined;
  if (metric === "RequestCount") return seconds.length;
  if (metric === "HTTPCode_Target_5XX_Count") return errors > 0 ? errors : undefined;
  if (metric === "HTTPCode_Target_4XX_Count") return clientErrors > 0 ? clientErrors : undefined;
  const [, percentile] = /^p(\d+)$/.exec(stat) ?? [];
  if (percentile !== undefined) return seconds[Math.ceil((Number(percentile) / 100) * seconds.length) - 1];
  const [, limit] = /^PR\(:([\d.]+)\)$/.exec(stat) ?? [];
  if (limit === undefined) throw new Error(`The simulated load balancer has no ${metric} ${stat}.`);
  return (100 * seconds.filter((value) => value <= Number(limit)).length) / seconds.length;
}
