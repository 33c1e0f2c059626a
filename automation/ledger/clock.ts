/** The two clocks of a machine, as an argument so that a test can make either of them jump. */
export interface Clock {
  /** Milliseconds since 1970 UTC. It may be set forwards and backwards, and it counts the time that a machine sleeps. */
  wall(): number;
  /** Milliseconds since some start. It never goes back, and on Linux it stands still while the machine sleeps. */
  monotonic(): number;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
};

/** DynamoDB tells its time in whole seconds, so a smaller difference says nothing. */
const noticeableMilliseconds = 2000;

/**
 * The clock, its wall time put right where it differs noticeably from the time that DynamoDB told in a response: so two
 * drivers compare times by one clock even if one of their machines is minutes wrong.
 *
 * @param date The response's `Date` header. Without one, or with one that cannot be read, the clock is left as it is.
 * @param sentMonotonic When the request was sent: a response that was long on its way says little.
 */
export function correctedClock(clock: Clock, date: string | undefined, sentMonotonic: number): Clock {
  const skew = Date.parse(date ?? "") + 500 - clock.wall();
  const uncertainty = noticeableMilliseconds + clock.monotonic() - sentMonotonic;
  if (Number.isNaN(skew) || Math.abs(skew) <= uncertainty) return clock;
  return { wall: () => clock.wall() + Math.round(skew), monotonic: () => clock.monotonic() };
}
