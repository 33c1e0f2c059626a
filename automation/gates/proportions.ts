import { probit } from "simple-statistics";

/** So many of so many requests. */
export interface Share {
  readonly count: number;
  readonly of: number;
}

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Bounds of `next - old`, each of them one-sided at the confidence: Newcombe's hybrid score interval (his method 10),
 * made of the Wilson intervals of both shares. It holds for small counts too, and for none at all, where a test on the
 * normal approximation does not.
 * @see R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17
 * (1998) 873-890
 */
export function difference(next: Share, old: Share, confidence: number): Bounds {
  const z = probit(confidence);
  const [one, other] = [wilson(next, z), wilson(old, z)];
  const [p, q] = [ratio(next), ratio(old)];
  return {
    lower: p - q - Math.hypot(p - one.lower, other.upper - q),
    upper: p - q + Math.hypot(one.upper - p, q - other.lower),
  };
}

export interface Rule {
  /** Amount by which the new share may be larger: 0.01 is one of a hundred requests. */
  readonly tolerance: number;
  /** Confidence of a verdict, for example 0.95. */
  readonly confidence: number;
  /** Which look at growing evidence this is, 1 being the first, when it may refuse. */
  readonly look?: number;
}

export type Judgement = "worse" | "no worse" | "undecided";

/**
 * Whether the new share is larger than the old one by more than the tolerance. `no worse` says that it is not, at the
 * confidence. `worse` says that it is: looking again and again finds something worse by chance sooner or later, so each
 * look may err by its part only, 1/2, 1/6, 1/12, … of what all looks together may (a union bound; the parts' sum is 1).
 */
export function judge(next: Share, old: Share, { tolerance, confidence, look }: Rule): Judgement {
  if (next.of === 0 || old.of === 0) return "undecided";
  if (difference(next, old, confidence).upper <= tolerance) return "no worse";
  if (look === undefined) return "undecided";
  const strict = 1 - (1 - confidence) / (look * (look + 1));
  return difference(next, old, strict).lower > tolerance ? "worse" : "undecided";
}

/** The fewest requests after which a share without a single one can be `no worse`. */
export function fewest({ tolerance, confidence }: Rule): number {
  const z = probit(confidence);
  return Math.ceil((z * z * (1 - tolerance)) / tolerance);
}

function ratio({ count, of }: Share): number {
  return of === 0 ? 0 : count / of;
}

/** @see E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212 */
function wilson({ count, of }: Share, z: number): Bounds {
  if (of === 0) return { lower: 0, upper: 1 };
  const [p, zz] = [count / of, (z * z) / of];
  const middle = (p + zz / 2) / (1 + zz);
  const width = (z * Math.sqrt((p * (1 - p)) / of + zz / (4 * of))) / (1 + zz);
  return { lower: count === 0 ? 0 : middle - width, upper: count === of ? 1 : middle + width };
}
