import { exitCodes, HandoverError } from "../errors.ts";

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Reads `90s`, `10m`, `1h` or a number of seconds. @throws HandoverError (exit 1) that names the option */
export function parseDuration(option: string, text: string): number {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) {
    throw new HandoverError(
      "usage",
      exitCodes.usage,
      `${option}: "${text}" is not a duration; write for example 90s, 10m or 1h`,
    );
  }
  return Number(number) * (units[unit] ?? 1);
}
