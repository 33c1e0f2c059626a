/** @param started an instant of `performance.now()` */
export function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
