/** The sample application's deliberate misbehaviour: the input `SIMULATE`. */
export interface Simulation {
  /** `/health` answers 500. */
  readonly unhealthy: boolean;
  /** The database is looked for where there is none, so `/health/db` answers 503. */
  readonly databaseDown: boolean;
  /** The share of answers, outside `/health…`, that are a 500: 0 to 1. */
  readonly errorShare: number;
  /** The share of the other answers, outside `/health…`, that are a 404: 0 to 1. */
  readonly missingShare: number;
  /** Every answer but the server status waits for this long. */
  readonly slowMilliseconds: number;
  /** The server dies this long after it started, and stays dead; the instance still runs, though EC2 may find it impaired. */
  readonly crashAfterSeconds: number | undefined;
  /** Answers do not say which generation gave them. */
  readonly anonymous: boolean;
  /** Systems Manager does not reach the server. */
  readonly noAgent: boolean;
  /** The server never listens. */
  readonly bootFails: boolean;
  /** Words that were asked for and are not known. */
  readonly unknown: readonly string[];
}

/** Reads `unhealthy`, `db-down`, `errors=0.3`, `missing=0.3`, `slow=800`, `crash-after=5`, `impaired-after=5`, `anonymous`, `no-agent` and `boot-fail`, separated by commas. */
export function parseSimulation(text: string): Simulation {
  const settings = new Map<string, string>();
  for (const item of text.split(",")) {
    const [name = "", value = ""] = item.split("=", 2).map((part) => part.trim());
    if (name !== "") settings.set(name, value);
  }
  const unknown: string[] = [];
  const flag = (name: string) => settings.delete(name);
  const quantity = (name: string) => {
    const value = settings.get(name);
    settings.delete(name);
    if (value === undefined) return undefined;
    const number = value === "" ? Number.NaN : Number(value);
    if (number >= 0) return number;
    unknown.push(`${name}=${value}`);
    return undefined;
  };
  const simulation = {
    unhealthy: flag("unhealthy"),
    databaseDown: flag("db-down"),
    errorShare: Math.min(quantity("errors") ?? 0, 1),
    missingShare: Math.min(quantity("missing") ?? 0, 1),
    slowMilliseconds: quantity("slow") ?? 0,
    crashAfterSeconds: quantity("crash-after") ?? quantity("impaired-after"),
    anonymous: flag("anonymous"),
    noAgent: flag("no-agent"),
    bootFails: flag("boot-fail"),
  };
  return { ...simulation, unknown: [...unknown, ...settings.keys()] };
}
