/**
 * YAML as the engine reads it, with Go's yaml.v3, which knows numbers and dates that YAML 1.2 does not
 * (https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go), and reads less than YAML 1.2 allows.
 */

/** Reads a plain scalar as Go's yaml.v3 does, dates as the engine then writes them. */
export function readByEngine(source: string): string | number | boolean | null {
  if (["", "~", "null", "Null", "NULL"].includes(source)) return null;
  if (/^(true|True|TRUE)$/.test(source)) return true;
  if (/^(false|False|FALSE)$/.test(source)) return false;
  if (/^\.(nan|NaN|NAN)$/.test(source)) return Number.NaN;
  const [infinite, sign] = /^([-+]?)\.(?:inf|Inf|INF)$/.exec(source) ?? [];
  if (infinite !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^\.\d/.test(source)) return decimal(source.replaceAll("_", "")) ?? source;
  if (!/^[-+\d]/.test(source)) return source;
  return date(source) ?? integer(source.replaceAll("_", "")) ?? decimal(source.replaceAll("_", "")) ?? source;
}

/** As Go's ParseInt with base 0, where a leading zero is octal, within 64 bits. */
function integer(text: string): number | undefined {
  const [, sign, digits = ""] = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const value = BigInt(digits.replace(/^0[oO]?(?=[0-7])/, "0o"));
  const fits = sign === "-" ? value <= 2n ** 63n : value < 2n ** 64n;
  if (!fits) return undefined;
  return Number(sign === "-" ? -value : value);
}

function decimal(text: string): number | undefined {
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Go's text of a date or a time: `2024-01-01 00:00:00 +0000 UTC`. */
function date(text: string): string | undefined {
  const form =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:( +|[Tt])(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[-+]\d\d:\d\d)?)?$/.exec(text);
  if (form === null) return undefined;
  const [, year, month, day, separator, hour = "0", minute = "0", second = "0", fraction = "", zone] = form;
  // With a T there must be a zone, and with a blank there must be none.
  if (separator !== undefined && /[Tt]/.test(separator) !== (zone !== undefined)) return undefined;
  const two = (part = "") => part.padStart(2, "0");
  const [dayText, timeText] = [`${year}-${two(month)}-${two(day)}`, `${two(hour)}:${two(minute)}:${two(second)}`];
  const instant = new Date(`${dayText}T${timeText}Z`);
  if (Number.isNaN(instant.getTime()) || !instant.toISOString().startsWith(`${dayText}T${timeText}`)) return undefined;
  const offset = zone?.replace(":", "") ?? "Z";
  return `${dayText} ${timeText}${fraction.slice(0, 10).replace(/\.?0*$/, "")} ${/^(Z|[-+]0000)$/.test(offset) ? "+0000 UTC" : `${offset} ${offset}`}`;
}

/** Why a text that is not plain cannot be read by the engine as it is written, or does not reach the program so. */
export function spoiltByEngine(written: string, text: string): string | undefined {
  // The engine writes what it has read once more, as a block, and there it loses or cannot read these.
  if (text.startsWith("\n"))
    return "begins with a line break, which the engine loses, so that servers have the text without it; remove it";
  if (text.startsWith("\t") && text.includes("\n"))
    return "begins with a tab, which the engine cannot read in a text of several lines; begin it with other text";
  if (!written.startsWith('"')) return undefined;
  for (const [sequence] of written.matchAll(/\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|[\s\S])/g)) {
    if (sequence === "\\/") return "has \\/, which the engine cannot read; write / alone";
    if (sequence.length > 2) return `has ${sequence}, which the engine cannot read; write the character itself`;
  }
  return undefined;
}

/** Characters that the engine takes for a line's end, or takes nowhere, outside of the escapes in double quotes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
const outOfPlace = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]/g;

/** Why a file cannot have them, a line each. */
export function charactersOutOfPlace(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const [found] = line.match(outOfPlace) ?? [];
    if (found === undefined) return [];
    const escaped = escapeOf(found);
    const why = /[\u0085\u2028\u2029]/.test(found)
      ? "at which the engine begins a new line"
      : "which the engine cannot read";
    return [`line ${index + 1}: has the character ${escaped}, ${why}; write it as "${escaped}", in double quotes`];
  });
}

/** A text in which those characters, which can only stand in double quotes here, are escaped. */
export function withEscapes(text: string): string {
  return text.replace(outOfPlace, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
