/** Whether AWS says that something is not there, or cannot be: an id that nothing could have. */
export function isNotFound(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return /NotFound(Exception|Fault)?$|NotFound\.|^InvalidAMIID|^InvalidInstanceType|Malformed$/.test(name);
}
