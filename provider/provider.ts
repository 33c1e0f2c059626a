import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "../automation/ledger/canonical.ts";
import { type CheckFailure, checkInputs } from "./check.ts";
import { Cloud, type CloudOptions } from "./cloud.ts";
import { allTags, isTagged, ownTags, tagsDifferences } from "./default-tags.ts";
import {
  type Difference,
  diffInputs,
  fillDefaults,
  importInputs,
  refreshInputs,
  topLevel,
  withChosen,
} from "./diff.ts";
import { isNotFound, NotReadyError } from "./errors.ts";
import { type AnyFunction, functions } from "./functions/index.ts";
import { isAutomatic, nameAutomatically, nameByPrefix, prefixFailures } from "./names.ts";
import { foreseen } from "./preview.ts";
import type { AnyResourceType, Operation } from "./resource.ts";
import { resourceTypes } from "./resources/index.ts";
import type { Tags } from "./tags.ts";
import { Tokens } from "./tokens.ts";
import { defaultsKey, isEmpty, type Properties, unknown, type Value } from "./values.ts";
import { pauses } from "./wait.ts";

/** The longest time for which a reading may not show what was just written, in seconds. */
const settleSeconds = 30;

export interface Request {
  readonly urn: string;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures: CheckFailure[];
}

export interface DiffResult {
  readonly differences: Difference[];
  readonly deleteBeforeReplace: boolean;
}

export interface ReadResult {
  readonly id: string;
  readonly state: Properties;
  readonly inputs: Properties;
}

/** Behaves like the official `aws` plugin, for the resource types that Handover's program uses. */
export class Provider {
  #cloud: Cloud | undefined;
  #options = "";
  readonly #tokens = new Tokens();

  /** The clients and their connections stay from one engine to the next, as long as nothing changes. */
  async configure(options: CloudOptions): Promise<void> {
    const text = canonicalJson(options);
    if (this.#cloud === undefined || text !== this.#options) this.#cloud = new Cloud(options);
    this.#options = text;
    await this.#cloud.checkAccount();
  }

  check(request: Request, olds: Properties, news: Properties, seed: Uint8Array): CheckResult {
    const type = typeOf(request.urn);
    const failures: CheckFailure[] = [];
    const inputs = checkInputs(this.#inItsRegion(news, failures), type.fields, failures);
    const { exactlyOne, autoname } = type;
    for (const group of exactlyOne ?? []) {
      if (group.filter((key) => inputs[key] !== undefined).length === 1) continue;
      failures.push({ property: "", reason: `exactly one of ${group.join(", ")} must be given` });
    }
    failures.push(...(type.check?.(inputs) ?? []));
    if (autoname !== undefined) {
      nameAutomatically(inputs, olds, autoname, nameOf(request.urn), seed);
      failures.push(...prefixFailures(inputs, autoname));
    }
    this.#tokens.checked(request.urn, olds);
    return { inputs, failures };
  }

  diff(
    request: Request,
    id: string,
    oldInputs: Properties,
    state: Properties,
    news: Properties,
    ignored: readonly string[] = [],
  ): DiffResult {
    const type = typeOf(request.urn);
    const before = withChosen(oldInputs, state, type.fields);
    const replacing = type.replaces?.(news, before) ?? [];
    const differences = diffInputs(before, news, type.fields).map((difference) =>
      replacing.includes(topLevel(difference.path)) ? { ...difference, replace: true } : difference,
    );
    // The engine knows inputs alone: outputs whose changes are ignored are left to the plugin.
    if (!ignored.includes("tagsAll") && !differences.some(({ path }) => topLevel(path) === "tags")) {
      differences.push(...tagsDifferences(type, this.#defaultTags, state, news));
    }
    this.#tokens.compared(request.urn, id);
    // Two of the same fixed name cannot be there at the same time.
    const property = type.autoname?.property;
    const isFixed = property !== undefined && !isEmpty(news[property]) && !isAutomatic(news, property);
    const hasSameName = isFixed && oldInputs[property] === news[property];
    return { differences, deleteBeforeReplace: hasSameName || type.deleteBeforeReplace === true };
  }

  async create(request: Request, inputs: Properties, preview: boolean): Promise<ReadResult> {
    const type = typeOf(request.urn);
    if (preview) return { id: "", inputs, state: foreseen(type, inputs, {}, "create", this.#defaultTags) };
    const operation = this.#operation(request);
    const token = (attempt = 0) => this.#tokens.token(request.urn, inputs, attempt);
    let id: string | undefined;
    try {
      const filled = fillDefaults(this.#withDefaultTags(type, clean(inputs)), type.fields);
      id = await type.create(type.autoname ? nameByPrefix(filled, type.autoname, token()) : filled, {
        ...operation,
        token,
        isHeld: this.#tokens.isHeld(request.urn),
        created: (created) => {
          id = created;
        },
      });
      const written = Object.keys(inputs);
      return { id, inputs, state: await this.#readWritten(type, operation, { id, inputs, written }) };
    } catch (error) {
      throw id === undefined ? error : new NotReadyError({ id, inputs, state: clean(inputs) }, error);
    }
  }

  /**
   * A refresh of what the state knows, an import otherwise, whatever the inputs were: as for the official plugin the id is
   * the one to import by then, and inputs that AWS cannot tell are lost. Undefined when there is nothing.
   */
  async read(request: Request, id: string, inputs: Properties, state: Properties): Promise<ReadResult | undefined> {
    const type = typeOf(request.urn);
    const operation = this.#operation(request);
    const isImport = Object.keys(state).length === 0;
    const { id: ownId, ...known } =
      isImport && type.importId !== undefined ? await type.importId(id, operation) : { id, ...state };
    const found = ownId === "" ? undefined : await type.read({ ...operation, id: ownId, state: known });
    if (found === undefined) {
      this.#tokens.gone(request.urn);
      return undefined;
    }
    const now = this.#withOwnTags(type, found as Properties, inputs.tags);
    if (!isImport) {
      const refreshed = refreshInputs(inputs, now, type.fields);
      return { id: ownId, inputs: refreshed, state: this.#completeState(now, refreshed, type) };
    }
    const imported = importInputs(now, type.fields);
    // Of inputs that exclude each other the official plugin imports none when AWS tells several.
    for (const group of type.exactlyOne ?? []) {
      const told = group.filter((key) => imported[key] !== undefined);
      if (told.length > 1) for (const key of told) delete imported[key];
    }
    const name = type.autoname?.property;
    if (name !== undefined) imported[defaultsKey] = [name];
    return { id: ownId, inputs: imported, state: this.#completeState(now, imported, type) };
  }

  async update(
    request: Request,
    id: string,
    olds: { readonly inputs: Properties; readonly state: Properties },
    news: Properties,
    preview: boolean,
  ): Promise<Properties> {
    const type = typeOf(request.urn);
    const before = withChosen(olds.inputs, olds.state, type.fields);
    const differences = diffInputs(before, news, type.fields);
    const changes = new Set(differences.map(({ path }) => topLevel(path)));
    if (preview) return foreseen(type, news, olds.state, changes.size > 0 ? "update" : "none", this.#defaultTags);
    const operation = this.#operation(request);
    await type.update?.({
      ...operation,
      id,
      olds: fillDefaults({ ...clean(before), ...inTheCloud(type, olds.state) }, type.fields),
      news: fillDefaults(this.#withDefaultTags(type, clean(news)), type.fields),
      state: olds.state,
      changed: (...inputs) => inputs.some((input) => changes.has(String(input))),
    });
    return this.#readWritten(type, operation, { id, inputs: news, written: [...changes] });
  }

  async delete(request: Request, id: string, state: Properties): Promise<void> {
    await typeOf(request.urn).delete({ ...this.#operation(request), id, state });
    this.#tokens.gone(request.urn);
  }

  async invoke(token: string, args: Properties): Promise<Properties | CheckFailure[]> {
    const called: AnyFunction | undefined = functions[token];
    if (called === undefined) throw new Error(`${token} is not supported by Handover's provider`);
    const failures: CheckFailure[] = [];
    const inputs = checkInputs(this.#inItsRegion(args, failures), called.fields, failures);
    if (failures.length > 0) return failures;
    return { ...inputs, region: this.#theCloud().region, ...(await called.invoke(inputs, this.#theCloud())) };
  }

  #theCloud(): Cloud {
    if (this.#cloud === undefined) throw new Error("The provider is not configured yet.");
    return this.#cloud;
  }

  #operation({ urn, timeoutSeconds, signal = new AbortController().signal }: Request): Operation {
    return { cloud: this.#theCloud(), urn, name: nameOf(urn), timeoutSeconds, signal };
  }

  /**
   * Reads until AWS shows what was written: right after that a resource may not be found, or look as before.
   * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
   * @returns the last reading when the time is over: somebody else may have changed it
   */
  async #readWritten(
    type: AnyResourceType,
    operation: Operation,
    { id, inputs, written }: { readonly id: string; readonly inputs: Properties; readonly written: readonly string[] },
  ): Promise<Properties> {
    const deadline = Date.now() + settleSeconds * 1000;
    let found: Properties | undefined;
    for (const pause of pauses()) {
      const reading = type.read({ ...operation, id, state: inputs, written: clean(inputs) });
      const seen = (await reading.catch(notFoundYet)) as Properties | undefined;
      if (seen !== undefined) {
        found = this.#completeState(this.#withOwnTags(type, seen, inputs.tags), inputs, type);
        if (this.#shows(type, found, inputs, written)) return found;
      }
      if (Date.now() + pause > deadline) break;
      await sleep(pause, undefined, { signal: operation.signal });
    }
    if (found === undefined) throw new Error(`${id} does not exist any more.`);
    return found;
  }

  #shows(type: AnyResourceType, found: Properties, inputs: Properties, written: readonly string[]): boolean {
    const differences = diffInputs(found, inputs, type.fields).filter(({ path }) => written.includes(topLevel(path)));
    const tags = tagsDifferences(type, this.#defaultTags, found, inputs);
    return differences.length + tags.length === 0 && type.isSettled?.(found, inputs) !== false;
  }

  #completeState(found: Properties, inputs: Properties, type: AnyResourceType): Properties {
    const told = Object.entries(type.fields).flatMap(([key, field]) =>
      field?.writeOnly && inputs[key] !== undefined ? [[key, inputs[key]]] : [],
    );
    return { ...found, ...Object.fromEntries(told), region: this.#theCloud().region };
  }

  get #defaultTags(): Tags {
    return this.#cloud?.defaultTags ?? {};
  }

  #withDefaultTags(type: AnyResourceType, inputs: Properties): Properties {
    return isTagged(type) ? { ...inputs, tags: allTags(this.#defaultTags, inputs.tags) } : inputs;
  }

  #withOwnTags(type: AnyResourceType, found: Properties, written: Value | undefined): Properties {
    if (!isTagged(type)) return found;
    return { ...found, tags: ownTags(found.tags, this.#defaultTags, written), tagsAll: found.tags ?? {} };
  }

  /** Everything is in the region of the provider's configuration. */
  #inItsRegion({ region, ...inputs }: Properties, failures: CheckFailure[]): Properties {
    const own = this.#cloud?.region;
    if (!isEmpty(region) && region !== unknown && own !== undefined && region !== own) {
      const reason = `region must be the provider's, ${own}: another one is not supported by Handover's provider`;
      failures.push({ property: "region", reason });
    }
    return inputs;
  }
}

function notFoundYet(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** The tags that an update starts from. */
function inTheCloud(type: AnyResourceType, { tagsAll }: Properties): Properties {
  return isTagged(type) && tagsAll !== undefined ? { tags: tagsAll } : {};
}

function clean({ [defaultsKey]: _, ...inputs }: Properties): Properties {
  return inputs;
}

function typeOf(urn: string): AnyResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = resourceTypes[token];
  if (type === undefined) throw new Error(`${token} is not supported by Handover's provider`);
  return type;
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
