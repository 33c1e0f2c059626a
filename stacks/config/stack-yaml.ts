import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type Scalar } from "yaml";
import { charactersOutOfPlace, readByEngine, spoiltByEngine } from "./engine-yaml.ts";

/**
 * The reader of `Pulumi.<stack>.yaml`. The engine reads the same file in its own way: what the two would read differently
 * is refused, and so is an input whose text is not what is written.
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
  const walk = new Walk(document, text);
  walk.config(document.get("config", true) as Node | undefined);
  const problems = [...charactersOutOfPlace(text), ...walk.problems];
  try {
    return { content: problems.length === 0 ? document.toJS() : undefined, problems };
  } catch (error) {
    // An alias without its anchor, or a merge of what is no map.
    return { content: undefined, problems: [`is not YAML: ${(error as Error).message}`] };
  }
}

/** Inputs and headers become text, whatever they are in the file. */
const becomesText = /^handover:(generations\.[^.]+\.inputs\.[^.]+|upgrade\.smoke\[\d+\]\.headers\.[^.]+)$/;

class Walk {
  readonly problems = new Set<string>();
  readonly #document: Document;
  readonly #text: string;
  readonly #above: Node[] = [];

  constructor(document: Document, text: string) {
    this.#document = document;
    this.#text = text;
  }

  config(node: Node | null | undefined): void {
    if (isAlias(node)) this.#tell("config: is somebody else's map; write its keys here, or merge it with <<");
    const config = this.#resolve(node);
    for (const pair of isMap(config) ? config.items : []) {
      const name = this.#nameOf(pair.key);
      if (isMerge(pair.key)) for (const each of this.#merged(pair.value)) this.config(each);
      else if (!/:/.test(name))
        this.#tell(`config: ${name} has no prefix, and the engine reads it as handover:${name}; write that`);
      else if (name.startsWith("handover:")) this.value(name, pair.value as Node | null);
    }
  }

  value(path: string, node: Node | null, isWithin = false): void {
    const found = this.#resolve(node);
    if (!found) return;
    if (this.#above.includes(found)) {
      this.#tell(`${path}: contains itself; write out what it should contain`);
      return;
    }
    this.#above.push(found);
    const inFlow = isWithin || ((isMap(found) || isSeq(found)) && found.flow === true);
    if (isScalar(found)) this.#tell(this.#scalarProblem(path, found, inFlow));
    else if (found.tag !== undefined && !collectionTags.includes(found.tag)) this.#tell(tagProblem(path, found));
    if (isMap(found) && found.items.filter(({ key }) => isMerge(key)).length > 1)
      this.#tell(`${path}: has << twice; merge a list, for example <<: [*one, *other]`);
    if (isMap(found)) for (const pair of found.items) this.#pair(path, pair as Pair<Node, Node | null>, inFlow);
    if (isSeq(found))
      for (const [index, item] of found.items.entries()) this.value(`${path}[${index}]`, item as Node, inFlow);
    this.#above.pop();
  }

  #pair(path: string, { key, value }: Pair<Node, Node | null>, inFlow: boolean): void {
    if (isMerge(key)) {
      for (const each of this.#merged(value)) this.value(path, each, inFlow);
      return;
    }
    const name = this.#nameOf(key);
    const resolved = this.#resolve(key);
    const isText = isScalar(resolved) && (!isPlain(resolved) || readByEngine(name) === name);
    if (name === "<<") this.#tell(`${path}: the engine merges <<, in quotes too; choose another name`);
    else if (!isText) this.#tell(`${path}: the name ${name} is no text without quotes; write ${quoted(name)}`);
    else if (inFlow && isPlain(resolved)) this.#tell(flowProblem(`${path}: the name ${name}`, name));
    // Without a blank after it, the colon belongs to the name for the engine.
    const [, end = 0] = key.range ?? [];
    if (inFlow && /^:[,\]}]/.test(this.#text.slice(end, end + 2)))
      this.#tell(`${path}.${name}: is empty; write null, or a value`);
    this.value(`${path}.${name}`, value, inFlow);
  }

  #scalarProblem(path: string, node: Scalar, inFlow: boolean): string | undefined {
    if (isPlain(node) || typeof node.value !== "string")
      return (
        plainProblem(path, node) ?? (inFlow ? flowProblem(`${path}: ${node.source}`, node.source ?? "") : undefined)
      );
    const [start = 0, end = 0] = node.range ?? [];
    const spoilt = spoiltByEngine(this.#text.slice(start, end), node.value);
    if (spoilt !== undefined) return `${path}: ${spoilt}`;
    if (node.type?.startsWith("BLOCK_") && end >= this.#text.length && !this.#text.endsWith("\n"))
      return `${path}: its last line is the file's, and has no end; end the file with a line break`;
    return plainProblem(path, node);
  }

  #resolve(node: unknown): Node | null | undefined {
    return isAlias(node) ? node.resolve(this.#document) : (node as Node | null | undefined);
  }

  #merged(value: unknown): (Node | null)[] {
    const merged = this.#resolve(value);
    return isSeq(merged) ? (merged.items as Node[]) : [merged ?? null];
  }

  #nameOf(key: unknown): string {
    const node = this.#resolve(key);
    return isScalar(node) ? ((isPlain(node) ? node.source : undefined) ?? String(node.value)) : String(node);
  }

  #tell(problem: string | undefined): void {
    if (problem !== undefined) this.problems.add(problem);
  }
}

const textTag = "tag:yaml.org,2002:str";
const collectionTags = ["tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"];

function isMerge(key: unknown): boolean {
  return isScalar(key) && isPlain(key) && key.source === "<<";
}

/** Within { } and [ ] the engine ends plain text where YAML 1.2 does not. */
function flowProblem(what: string, source: string): string | undefined {
  const [sign] = /^:|\?/.exec(source) ?? [];
  return sign === undefined
    ? undefined
    : `${what} has a ${sign} that the engine cannot read within { } and [ ]; write ${quoted(source)}`;
}

function plainProblem(path: string, node: Scalar): string | undefined {
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
