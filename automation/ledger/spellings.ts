/** The ways in which a secret may be written in a text, as regular expressions. */

/** Of a secret of several lines, a line of at least so many characters is one too: output comes line by line. */
const shortestLine = 8;

export interface Spelling {
  readonly source: string;
  /** A part that every match has, where line breaks do not count: whether it is there is soon seen. */
  readonly part?: string;
}

export function spellingsOf(secret: string): Spelling[] {
  const lines = secret.split(/\r?\n/).flatMap((line) => (line.trim().length < shortestLine ? [] : [line.trim()]));
  const whole = [secret, ...(/\n/.test(secret) ? lines : [])];
  return [...new Set(whole)].flatMap((text) => [{ source: spelled(text) }, { source: inHex(text) }, ...inBase64(text)]);
}

/** Matches a text of which each character may be encoded or escaped, also several times: encoders differ in which ones. */
function spelled(text: string): string {
  return (text.match(/\\+|[^\\]/gu) ?? [])
    .map((part) => (part.startsWith("\\") ? backslashes : spellingsOfCharacter(part)))
    .join("");
}

const escapes = "\\\\{1,8}";

/** What stands for a character beside its bytes and its code, as in JSON, HTML, forms, shells and SQL. */
const others: Readonly<Record<string, readonly string[]>> = {
  "\n": ["\\r?\\n[ \\t]{0,20}", "\\s", `${escapes}r${escapes}n`, `${escapes}n`, "<br ?\\/?>"],
  "\r": [`${escapes}r`],
  "\t": ["\\s", `${escapes}t`],
  "\b": [`${escapes}b`],
  "\f": [`${escapes}f`],
  " ": ["\\s", "\\+"],
  "'": [`'${escapes}''`, "'\"'\"'", "''", entity("apos")],
  '"': ['""', entity("quot")],
  "&": [entity("amp")],
  "<": [entity("lt")],
  ">": [entity("gt")],
};

function spellingsOfCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const units = Array.from(
    { length: character.length },
    (_, unit) => `${escapes}u${hex(character.charCodeAt(unit), 4)}`,
  );
  const escaped = /[A-Za-z0-9]/.test(character) ? "" : "\\\\{0,8}";
  return `(?:${[
    [...Buffer.from(character)].map(byte).join(""),
    ...(code > 0x7f && code < 0x100 ? [byte(code)] : []),
    units.join(""),
    `${escapes}u\\{0*${hex(code, 1)}\\}`,
    entity(`#0*${code}`),
    entity(`#[xX]0*${hex(code, 1)}`),
    ...(others[character] ?? []),
    escaped + literal(character),
  ].join("|")})`;
}

/** However many: each is doubled whenever it is escaped. */
const backslashes = `(?:\\\\|${byte(0x5c)}|${entity("#0*92")}|${entity("#[xX]0*5[cC]")}){1,64}`;

/** A byte in a URL, in a program's text, or in a mail. */
function byte(number: number): string {
  return `(?:(?:%(?:25)*|${escapes}x|=)${hex(number, 2)}|${escapes}${number.toString(8).padStart(3, "0")})`;
}

function entity(name: string): string {
  return `&(?:amp;)*${name};`;
}

function inHex(secret: string): string {
  return [...Buffer.from(secret)].map((each) => hex(each, 2)).join("[ :]?");
}

/** A text in base64, as it is and as a string of JSON or part of a URL, and in base64 once more, as in user data. */
function inBase64(secret: string): Spelling[] {
  const texts = new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())]);
  const bodies = [...texts].flatMap((text) => alignments(text));
  const again = alignments(secret).flatMap(({ own }) => alignments(own));
  return [...bodies, ...again].map(({ own, opens, closes }) => {
    const characters = [...own].map((character) => base64Characters[character] ?? literal(character));
    // Long ones are broken into lines.
    const body = characters.join("(?:\\s|\\\\[rn])*");
    const source = `${opens ? neighbour : ""}${body}${closes ? neighbour : ""}(?:=|%(?:25)*3[dD]){0,2}`;
    const [part = ""] = (own.match(/[A-Za-z0-9]+/g) ?? []).toSorted((a, b) => b.length - a.length);
    return { source, part };
  });
}

const base64Characters: Readonly<Record<string, string>> = {
  "+": `(?:[+\\-]|${byte(0x2b)})`,
  "/": `(?:\\\\?\\/|_|${byte(0x2f)})`,
};
const neighbour = `(?:[A-Za-z0-9+\\/_\\-]|%(?:25)*2[bBfF])?`;

/** The three texts as which another one stands in base64, by the number of bytes before it modulo three. */
function alignments(text: string): { own: string; opens: boolean; closes: boolean }[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const bits = (before + bytes.length) * 8;
    // The characters at both ends have bits of what stands beside the text.
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
    return { own, opens: before > 0, closes: bits % 6 > 0 };
  });
}

function hex(number: number, digits: number): string {
  return [...number.toString(16).padStart(digits, "0")]
    .map((digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit))
    .join("");
}

/** A text as a regular expression. */
function literal(text: string): string {
  return [...text].map((character) => `\\u{${character.codePointAt(0)?.toString(16)}}`).join("");
}
