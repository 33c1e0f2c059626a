import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type Scalar } from "yaml";

/**
 * The reader of `Pulumi.<stack>.yaml`. The engine reads the same file with Go's yaml.v3, which knows numbers and dates
 * that YAML 1.2 does not (https://github.com/go-yaml/yaml/blob/v3.0.1/resolve.go): a value that the two would read
 * differently is refused, and so is an input whose text is not what is written.
 */

export interface StackYaml {
  /** The file's content. Undefined where it is no YAML. */
  readonly content: unknown;
  /** Why it cannot be used, each with its place. */
  readonly problems: readonly string[];
}

export function readStackYaml(text: string): StackYaml {
  const document = parseDocument(text, { merge: true });
  const [broken] = document.errors;
  if (broken !== undefined) return { content: undefined, problems: [`is not YAML: ${broken.message.split("\n")[0]}`] };
  const config = document.get("config", true);
  const problems = new Set(lineBreaks(text));
  for (const { key, value } of isMap(config) ? config.items : []) {
    if (isScalar(key) && String(key.value).startsWith("handover:"))
      new Walk(document, problems).value(String(key.value), value as Node | null);
  }
  return { content: document.toJS(), problems: [...problems] };
}

/** Inputs and headers become text, whatever they are in the file. */
const becomesText = /^handover:(generations\.[^.]+\.inputs\.[^.]+|upgrade\.smoke\[\d+\]\.headers\.[^.]+)$/;

class Walk {
  readonly #document: Document;
  readonly #problems: Set<string>;
  readonly #above: Node[] = [];

  constructor(document: Document, problems: Set<string>) {
    this.#document = document;
    this.#problems = problems;
  }

  value(path: string, node: Node | null): void {
    const found = isAlias(node) ? node.resolve(this.#document) : node;
    if (!found || this.#above.includes(found)) return;
    this.#above.push(found);
    if (isScalar(found)) this.#tell(scalarProblem(path, found));
    else if (found.tag !== undefined && !collectionTags.includes(found.tag)) this.#tell(tagProblem(path, found));
    if (isMap(found)) for (const pair of found.items) this.#pair(path, pair as Pair<Node, Node | null>);
    if (isSeq(found)) for (const [index, item] of found.items.entries()) this.value(`${path}[${index}]`, item as Node);
    this.#above.pop();
  }

  #pair(path: string, { key, value }: Pair<Node, Node | null>): void {
    if (isScalar(key) && isPlain(key) && key.source === "<<") {
      const merged = isAlias(value) ? value.resolve(this.#document) : value;
      for (const each of isSeq(merged) ? merged.items : [merged]) this.value(path, each as Node);
      return;
    }
    const name = isScalar(key) ? (key.source ?? String(key.value)) : String(key);
    if (isScalar(key) && isPlain(key) && readByEngine(name) !== name)
      this.#tell(`${path}: the name ${name} is no text without quotes; write ${quoted(name)}`);
    this.value(`${path}.${name}`, value);
  }

  #tell(problem: string | undefined): void {
    if (problem !== undefined) this.#problems.add(problem);
  }
}

const textTag = "tag:yaml.org,2002:str";
const collectionTags = ["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"];

function scalarProblem(path: string, node: Scalar): string | undefined {
  if (node.tag !== undefined && node.tag !== textTag) return tagProblem(path, node);
  if (!isPlain(node) || node.tag === textTag) return undefined;
  const { source = "", value } = node;
  const engine = readByEngine(source);
  const same = engine === value && !(typeof value === "number" && !Number.isFinite(value));
  if (becomesText.test(path)) {
    if (same && value !== null && String(value) === source) return undefined;
    if (value === null) return `${path}: is empty, which is no text; write "" or, as text, ${quoted(source || "null")}`;
    const engineText = String(engine);
    const launched =
      engineText === source ? "" : `; servers that were launched with ${engineText} keep ${quoted(engineText)}`;
    return `${path}: ${source} is no text without quotes; write ${quoted(source)}${launched}`;
  }
  if (same) return undefined;
  const plain = typeof engine === "number" && Number.isFinite(engine) ? `${engine} if it is that number, or ` : "";
  return `${path}: ${source} is read as ${kindOf(engine)} by the engine and as ${kindOf(value)} by Handover; write ${plain}${quoted(source)}${plain && " if it is text"}`;
}

function tagProblem(path: string, { tag }: Pick<Node, "tag">): string {
  return `${path}: has the tag ${tag?.replace("tag:yaml.org,2002:", "!!")}, which is not read alike everywhere; remove it, and write text in quotes`;
}

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

/** YAML 1.1, which the engine reads, ends a line at these too. */
function lineBreaks(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const [found] = /[\u0085\u2028\u2029]/.exec(line) ?? [];
    if (found === undefined) return [];
    const escaped = `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return [
      `line ${index + 1}: has the character ${escaped}, at which the engine begins a new line; write it as "${escaped}", in double quotes`,
    ];
  });
}

function isPlain(node: Scalar): boolean {
  return node.type === "PLAIN" || node.type === undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  return typeof value === "string" ? `the text ${quoted(value)}` : String(value);
}
