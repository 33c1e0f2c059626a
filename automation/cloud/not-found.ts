/** Whether AWS says that something is not there, or cannot be: an id that nothing could have. */
export function isNotFound(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return /NotFound(Exception|Fault)?$|NotFound\.|^InvalidAMIID|^InvalidInstanceType|Malformed$/.test(name);
}

/**
 * Whether a plugin's error is about what it had just made, reading it or waiting for it. What is not there when something
 * is made with it, an image or a key, is an answer.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export function isNotYetShown(text: string): boolean {
  const errors = text.match(/\b(reading|waiting for) .*/g) ?? [];
  return errors.some((error) => /couldn't find resource|empty result|\bapi error [\w.]*NotFound/.test(error));
}
