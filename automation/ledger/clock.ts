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
