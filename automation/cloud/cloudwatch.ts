import {
  AlarmType,
  CloudWatchClient,
  type CloudWatchClientConfig,
  type MetricDataQuery,
  paginateDescribeAlarms,
  paginateGetMetricData,
  ScanBy,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  type CloudWatchLogsClientConfig,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";

/** From when to when, in milliseconds since 1970; what happens at the end is outside. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Values of one query by the start of their period, in milliseconds since 1970. */
export type Series = ReadonlyMap<number, number>;

/** Periods, but no more minutes, by which metrics come late. */
const latePeriods = 2;

/** The time in which a period's values still come in, after it is over, in seconds. */
export function lateSeconds(periodSeconds: number): number {
  return latePeriods * Math.min(periodSeconds, 60);
}

/**
 * The end of the last period whose values change no more. AWS's services tell of a minute when it is over, a minute or two
 * late and piece by piece, errors after requests for example: what is there of it by then is no evidence.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
export function finalUntil(now: number, periodSeconds: number): number {
  const period = periodSeconds * 1000;
  return Math.floor((now - lateSeconds(periodSeconds) * 1000) / period) * period;
}

export interface LogEvents {
  readonly events: readonly { readonly stream: string; readonly message: string }[];
  /** There are more than are read. */
  readonly more: boolean;
}

/** More pages of log events than these are not read: the count is high enough by then. */
const mostPages = 10;

/** Reads CloudWatch and CloudWatch Logs for the gates. */
export class CloudWatch {
  readonly #metrics: CloudWatchClient;
  readonly #logs: CloudWatchLogsClient;

  constructor(ofMetrics: CloudWatchClientConfig, ofLogs: CloudWatchLogsClientConfig) {
    this.#metrics = new CloudWatchClient(ofMetrics);
    this.#logs = new CloudWatchLogsClient(ofLogs);
  }

  /**
   * Series by query id; without a value where there was no data in a period.
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
   */
  async metricData(
    queries: readonly MetricDataQuery[],
    { start, end }: Span,
    abortSignal?: AbortSignal,
  ): Promise<Map<string, Series>> {
    const series = new Map<string, Map<number, number>>();
    const input = {
      MetricDataQueries: [...queries],
      StartTime: new Date(start),
      EndTime: new Date(end),
      ScanBy: ScanBy.TIMESTAMP_ASCENDING,
    };
    for await (const page of paginateGetMetricData({ client: this.#metrics }, input, { abortSignal })) {
      for (const { Id = "", Timestamps = [], Values = [], StatusCode } of page.MetricDataResults ?? []) {
        // An answer without the values that there are is none.
        if (StatusCode === "InternalError" || StatusCode === "Forbidden")
          throw Object.assign(new Error(`CloudWatch has no values for ${Id}: ${StatusCode}`), { name: StatusCode });
        const values = series.get(Id) ?? new Map<number, number>();
        for (const [index, time] of Timestamps.entries()) values.set(time.getTime(), Values[index] ?? Number.NaN);
        series.set(Id, values);
      }
    }
    return series;
  }

  /** The state of alarms, composite ones too, by name: `OK`, `ALARM` or `INSUFFICIENT_DATA`. What does not exist is missing. */
  async alarmStates(names: readonly string[], abortSignal?: AbortSignal): Promise<Map<string, string>> {
    const states = new Map<string, string>();
    const AlarmTypes = [AlarmType.MetricAlarm, AlarmType.CompositeAlarm];
    // At most 100 names in one call: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    for (let index = 0; index < names.length; index += 100) {
      const input = { AlarmNames: names.slice(index, index + 100), AlarmTypes };
      for await (const page of paginateDescribeAlarms({ client: this.#metrics }, input, { abortSignal })) {
        for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
          states.set(alarm.AlarmName ?? "", alarm.StateValue ?? "");
        }
      }
    }
    return states;
  }

  /** Events of a log group that match a filter pattern. @throws when there is no such group, or the pattern is none */
  async logEvents(group: string, pattern: string, { start, end }: Span, abortSignal?: AbortSignal): Promise<LogEvents> {
    const events: { stream: string; message: string }[] = [];
    const input = { logGroupName: group, filterPattern: pattern, startTime: start, endTime: end };
    let pages = 0;
    for await (const page of paginateFilterLogEvents({ client: this.#logs }, input, { abortSignal })) {
      for (const { logStreamName = "", message = "" } of page.events ?? [])
        events.push({ stream: logStreamName, message });
      if (++pages === mostPages) return { events, more: page.nextToken !== undefined };
    }
    return { events, more: false };
  }

  close(): void {
    this.#metrics.destroy();
    this.#logs.destroy();
  }
}
