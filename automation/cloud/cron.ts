/**
 * Recurrence of scheduled actions: a cron expression with five fields, in a time zone.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
 */

const fields = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC" },
  { from: 0, to: 7, names: "SUN MON TUE WED THU FRI SAT" },
];

/** The minutes in which an expression is due, after one time and up to another, in milliseconds since the epoch. */
export function timesBetween(expression: string, timeZone: string, after: number, until: number): number[] {
  const due = matcherOf(expression);
  const local = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone, hourCycle: "h23", weekday: "short" },
    ...{ month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" },
  });
  const minute = 60_000;
  const times: number[] = [];
  for (let time = (Math.floor(after / minute) + 1) * minute; time <= until; time += minute) {
    const parts = Object.fromEntries(local.formatToParts(time).map(({ type, value }) => [type, value]));
    const weekday = numberOf(parts.weekday?.toUpperCase() ?? "", 4);
    if (due([Number(parts.minute), Number(parts.hour), Number(parts.day), Number(parts.month), weekday]))
      times.push(time);
  }
  return times;
}

function matcherOf(expression: string): (now: readonly number[]) => boolean {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== fields.length) throw new Error(`${expression} is no recurrence with five fields`);
  const sets = parts.map((part, index) => setOf(part, index));
  const has = (index: number, now: readonly number[]) => sets[index]?.has(now[index] ?? -1) === true;
  // Where both days are given, either will do.
  const eitherDay = !parts[2]?.startsWith("*") && !parts[4]?.startsWith("*");
  return (now) => {
    const day = eitherDay ? has(2, now) || has(4, now) : has(2, now) && has(4, now);
    return has(0, now) && has(1, now) && has(3, now) && day;
  };
}

/** The values of a field such as `1-5`, `0,30`, `MON-FRI` or one with steps. */
function setOf(text: string, index: number): ReadonlySet<number> {
  const { from, to } = fields[index] ?? { from: 0, to: 0 };
  const values = text.split(",").flatMap((part) => {
    const [range = "", step = "1"] = part.split("/");
    const [first = "", last = part.includes("/") ? String(to) : first] = range.split("-");
    const [low, high] = range === "*" ? [from, to] : [numberOf(first, index), numberOf(last, index)];
    const every = Number(step);
    if (!Number.isInteger(low + high) || !(every >= 1)) throw new Error(`${text} is no part of a recurrence`);
    return Array.from({ length: Math.max(0, Math.floor((high - low) / every) + 1) }, (_, count) => low + count * every);
  });
  // Sunday is 0 and 7.
  return new Set(values.map((value) => (index === 4 ? value % 7 : value)));
}

function numberOf(text: string, index: number): number {
  const { from = 0, names = "" } = fields[index] ?? {};
  const place = names.split(" ").indexOf(text.toUpperCase());
  return place >= 0 ? place + from : Number.parseInt(text, 10);
}
