import type { LogConfig } from "../../stacks/config/watch-schema.ts";
import type { CloudWatch, LogEvents, Span } from "../cloud/cloudwatch.ts";
import type { Gate } from "./gate.ts";

/** One generation's servers, as names of log streams have them. */
export interface Writers {
  /** Asked at every look: an array launches servers when it likes to. */
  readonly instanceIds: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Share of the public traffic, in percent. */
  readonly weight: number;
}

/** Before the step, where the old generation gets no traffic in it or the streams do not tell who wrote to them. */
const lookBackSeconds = 900;
const samples = 5;

/**
 * A pattern is not logged more often a minute by the new generation than by the old one, beyond `atMost`. Where the log
 * streams' names have the instances' ids (the CloudWatch agent's default is `{instance_id}`), the old one's count is of the
 * same minutes, as large as its traffic would be at the new one's share; else everything that the group got in the step is
 * held against the 15 minutes before it.
 * @param clock the time in milliseconds since 1970
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
 */
export function fewMatches(
  cloudWatch: Pick<CloudWatch, "logEvents">,
  { group, pattern, atMost }: LogConfig,
  {
    next,
    old,
    usualPerMinute = 0,
  }: {
    readonly next: Writers;
    readonly old: Writers;
    /** Before the run, when the old one had all traffic. Default: nobody looked. */
    readonly usualPerMinute?: number | undefined;
  },
  patienceSeconds: number,
  clock: () => number = Date.now,
): Gate {
  const begun = clock();
  const before = { start: begun - lookBackSeconds * 1000, end: begun };
  let earlier: LogEvents | undefined;
  return {
    name: `log ${group}: ${pattern}`,
    patienceSeconds,
    everySeconds: 5,
    async observe(signal) {
      // The first minute counts as a whole, else a single match in its first second would be 60 a minute.
      const span = { start: begun, end: Math.max(clock(), begun + 60_000) };
      earlier ??= await cloudWatch.logEvents(group, pattern, before, signal);
      const seen = await cloudWatch.logEvents(group, pattern, span, signal);
      const [newIds, oldIds] = await Promise.all([next.instanceIds(signal), old.instanceIds(signal)]);
      const named = writtenBy([...seen.events, ...earlier.events], [...newIds, ...oldIds]).length > 0;
      const ours = named ? writtenBy(seen.events, newIds) : seen.events;
      const theirs = named ? writtenBy((old.weight > 0 ? seen : earlier).events, oldIds) : earlier.events;
      const share = named && old.weight > 0 ? Math.min(1, next.weight / old.weight) : 1;
      const perMinute = ours.length / minutes(span);
      const theirsPerMinute = (theirs.length / minutes(named && old.weight > 0 ? span : before)) * share;
      // With less traffic the old one logged less, and before the run it had all.
      const usual = Math.max(theirsPerMinute, usualPerMinute * (named ? next.weight / 100 : 1));
      const evidence = {
        perMinute: rounded(perMinute),
        usualPerMinute: rounded(usual),
        atMost,
        ...(seen.more ? { readOnly: seen.events.length } : {}),
        samples: ours.slice(-samples).map(({ message }) => message.trim().slice(0, 300)),
      };
      return { verdict: perMinute > usual + atMost ? "fail" : "pass", evidence };
    },
  };
}

function writtenBy(events: LogEvents["events"], instanceIds: readonly string[]) {
  return events.filter(({ stream }) => instanceIds.some((id) => stream.includes(id)));
}

function minutes({ start, end }: Span): number {
  return (end - start) / 60_000;
}

function rounded(count: number): number {
  return Number(count.toFixed(2));
}
