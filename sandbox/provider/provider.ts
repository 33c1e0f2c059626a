import { type CheckFailure, checkInputs, defaultsKey, nameAutomatically } from "./check.ts";
import { Cloud, type CloudOptions } from "./cloud.ts";
import {
  type Difference,
  diffInputs,
  fillDefaults,
  importInputs,
  refreshInputs,
  topLevel,
  withChosen,
} from "./diff.ts";
import { NotReadyError } from "./errors.ts";
import { type AnyFunction, functions } from "./functions/index.ts";
import type { AnyResourceType, Operation } from "./resource.ts";
import { resourceTypes } from "./resources/index.ts";
import { Tokens } from "./tokens.ts";
import { isEmpty, type Properties, unknown } from "./values.ts";

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

/** What the official `aws` plugin does, for the resource types that Handover's program uses. */
export class Provider {
  #cloud: Cloud | undefined;
  readonly #tokens = new Tokens();

  configure(options: CloudOptions): void {
    this.#cloud = new Cloud(options);
  }

  check(request: Request, olds: Properties, news: Properties, seed: Uint8Array): CheckResult {
    const type = typeOf(request.urn);
    const failures: CheckFailure[] = [];
    const inputs = checkInputs(news, type.fields, failures);
    const { exactlyOne } = type;
    const given = exactlyOne?.filter((key) => inputs[key as string] !== undefined) ?? [];
    if (exactlyOne !== undefined && given.length !== 1) {
      failures.push({ property: "", reason: `exactly one of ${exactlyOne.join(", ")} must be given` });
    }
    if (type.autoname !== undefined) {
      const { property, maxLength } = type.autoname;
      nameAutomatically(inputs, olds, { property: String(property), maxLength }, nameOf(request.urn), seed);
    }
    this.#tokens.checked(request.urn, olds);
    return { inputs, failures };
  }

  diff(request: Request, oldInputs: Properties, state: Properties, news: Properties): DiffResult {
    const type = typeOf(request.urn);
    const replacing = type.replaces?.(news) ?? [];
    const differences = diffInputs(withChosen(oldInputs, state, type.fields), news, type.fields).map((difference) =>
      replacing.includes(topLevel(difference.path)) ? { ...difference, replace: true } : difference,
    );
    // Two of the same fixed name cannot be there at the same time.
    const property = type.autoname?.property as string | undefined;
    const isFixed = property !== undefined && !isEmpty(news[property]) && !isAutomatic(news, property);
    const hasSameName = isFixed && oldInputs[property] === news[property];
    return { differences, deleteBeforeReplace: hasSameName || type.deleteBeforeReplace === true };
  }

  async create(request: Request, inputs: Properties, preview: boolean): Promise<ReadResult> {
    const type = typeOf(request.urn);
    if (preview) return { id: "", inputs, state: foreseen(type, inputs, {}, "create") };
    const operation = this.#operation(request);
    let id: string | undefined;
    try {
      id = await type.create(fillDefaults(clean(inputs), type.fields), {
        ...operation,
        token: (attempt = 0) => this.#tokens.token(request.urn, inputs, attempt),
        isHeld: this.#tokens.isHeld(request.urn),
        created: (created) => {
          id = created;
        },
      });
      return { id, inputs, state: await this.#readState(type, operation, id, inputs) };
    } catch (error) {
      throw id === undefined ? error : new NotReadyError({ id, inputs, state: clean(inputs) }, error);
    }
  }

  /** A refresh when there are inputs from before, an import otherwise. Undefined when there is nothing. */
  async read(request: Request, id: string, inputs: Properties, state: Properties): Promise<ReadResult | undefined> {
    const type = typeOf(request.urn);
    const operation = this.#operation(request);
    const isImport = Object.keys(inputs).length === 0 && Object.keys(state).length === 0;
    const { id: ownId, ...known } =
      isImport && type.importId !== undefined ? await type.importId(id, operation) : { id, ...state };
    const found = ownId === "" ? undefined : await type.read({ ...operation, id: ownId, state: known });
    if (found === undefined) return undefined;
    const now = found as Properties;
    if (!isImport) {
      const refreshed = refreshInputs(inputs, now, type.fields);
      return { id: ownId, inputs: refreshed, state: this.#completeState(now, refreshed, type) };
    }
    const imported = importInputs(now, type.fields);
    const name = type.autoname?.property as string | undefined;
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
    if (preview) return foreseen(type, news, olds.state, changes.size > 0 ? "update" : "none");
    const operation = this.#operation(request);
    await type.update?.({
      ...operation,
      id,
      olds: fillDefaults(clean(before), type.fields),
      news: fillDefaults(clean(news), type.fields),
      state: olds.state,
      changed: (...inputs) => inputs.some((input) => changes.has(String(input))),
    });
    return this.#readState(type, operation, id, news);
  }

  async delete(request: Request, id: string, state: Properties): Promise<void> {
    await typeOf(request.urn).delete({ ...this.#operation(request), id, state });
    this.#tokens.deleted(request.urn);
  }

  async invoke(token: string, args: Properties): Promise<Properties | CheckFailure[]> {
    const called: AnyFunction | undefined = functions[token];
    if (called === undefined) throw new Error(`${token} is not supported by the sandbox's provider`);
    const failures: CheckFailure[] = [];
    const inputs = checkInputs(args, called.fields, failures);
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

  async #readState(type: AnyResourceType, operation: Operation, id: string, inputs: Properties): Promise<Properties> {
    const found = await type.read({ ...operation, id, state: inputs, written: clean(inputs) });
    if (found === undefined) throw new Error(`${id} does not exist any more.`);
    return this.#completeState(found as Properties, inputs, type);
  }

  #completeState(found: Properties, inputs: Properties, type: AnyResourceType): Properties {
    const told = Object.entries(type.fields).flatMap(([key, field]) => (field?.writeOnly ? [[key, inputs[key]]] : []));
    const tagsAll = "tags" in type.fields && type.fields.tags?.type === "map" ? { tagsAll: found.tags ?? {} } : {};
    return { ...found, ...Object.fromEntries(told), ...tagsAll, region: this.#theCloud().region };
  }
}

/** What a preview can say about the outputs. */
function foreseen(
  type: AnyResourceType,
  inputs: Properties,
  state: Properties,
  what: "create" | "update" | "none",
): Properties {
  const result: Properties = { ...state, ...clean(inputs) };
  for (const [key, when] of Object.entries(type.computed)) {
    if (
      (what === "create" && !(key in type.fields)) ||
      (what === "update" && when === "onUpdate" && isEmpty(inputs[key]))
    )
      result[key] = unknown;
  }
  if (what === "create") {
    for (const [key, field] of Object.entries(type.fields)) {
      if (field?.computed && isEmpty(inputs[key])) result[key] = unknown;
      else if (field?.default !== undefined && isEmpty(inputs[key])) result[key] = field.default;
    }
  }
  if (type.fields.tags?.type === "map") result.tagsAll = inputs.tags ?? {};
  return result;
}

function clean({ [defaultsKey]: _, ...inputs }: Properties): Properties {
  return inputs;
}

function isAutomatic(inputs: Properties, property: string): boolean {
  const defaults = inputs[defaultsKey];
  return Array.isArray(defaults) && defaults.includes(property);
}

function typeOf(urn: string): AnyResourceType {
  const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const type = resourceTypes[token];
  if (type === undefined) throw new Error(`${token} is not supported by the sandbox's provider`);
  return type;
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
