/**
 * The statuses of a healthy answer: numbers and ranges with commas between them, from 200 to 499.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
 */

export function isMatcher(text: string): boolean {
  return (
    /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(text) &&
    ranges(text).every(([from, to]) => 200 <= from && from <= to && to <= 499)
  );
}

export function matches(matcher: string, status: number): boolean {
  return ranges(matcher).some(([from, to]) => from <= status && status <= to);
}

function ranges(text: string): [from: number, to: number][] {
  return text.split(",").map((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return [from, to];
  });
}
