/**
 * Reads the value that a JSON document has at a path of names and list positions: `pools.0.active`.
 * @returns undefined when there is nothing, or the text is no JSON
 */
export function valueAt(text: string, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
