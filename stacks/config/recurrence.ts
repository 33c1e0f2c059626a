/**
 * When a scheduled action of an Auto Scaling group falls due: cron's five fields, with names of months and days.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
 */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly { least: number; most: number; names?: readonly string[] }[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  { least: 0, most: 7, names: days },
];

export function isRecurrence(text: string): boolean {
  const parts = text.split(" ");
  return parts.length === fields.length && parts.every((part, index) => part.split(",").every(isOf(fields[index])));
}

function isOf(field: (typeof fields)[number] | undefined) {
  return (part: string): boolean => {
    const [, range = "", step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    if (field === undefined || (step !== undefined && Number(step) < 1)) return false;
    if (range === "*" || range === "?") return true;
    const ends = range.split("-").map((end) => numberOf(end, field));
    const [from = Number.NaN, to = from] = ends;
    return ends.length <= 2 && field.least <= from && from <= to && to <= field.most;
  };
}

function numberOf(text: string, { least, names = [] }: (typeof fields)[number]): number {
  const name = names.indexOf(text.toLowerCase());
  return name >= 0 ? name + least : /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
