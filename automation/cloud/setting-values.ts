/** Settings of Pulumi's `aws` plugin as text or as YAML has them: lists and objects may be JSON. */
export type Settings = Readonly<Record<string, unknown>>;

/** A setting that cannot be followed. */
export class SettingError extends Error {
  constructor(setting: string, problem: string) {
    super(`aws:${setting}: ${problem}`);
    this.name = "SettingError";
  }
}

export function text(settings: Settings, name: string): string | undefined {
  const given = settings[name];
  return typeof given === "string" && given !== "" ? given : undefined;
}

/** A list of texts. */
export function texts(settings: Settings, name: string): string[] {
  const given = value(settings, name);
  return Array.isArray(given) ? given.map(String) : [];
}

/** Objects: a list of them, or one by itself. */
export function objects(settings: Settings, name: string): Settings[] {
  const given = value(settings, name);
  const all = Array.isArray(given) ? given : [given];
  return all.filter((each): each is Settings => typeof each === "object" && each !== null);
}

/** @throws SettingError */
export function value(settings: Settings, name: string): unknown {
  const given = settings[name];
  if (typeof given !== "string" || !/^\s*[[{]/.test(given)) return given;
  try {
    return JSON.parse(given);
  } catch {
    throw new SettingError(name, "is no JSON");
  }
}
