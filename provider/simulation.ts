import { createHash } from "node:crypto";
import { canonicalJson } from "../automation/ledger/canonical.ts";
import { Provider, type ReadResult, type Request } from "./provider.ts";
import { isObject, type Properties, unknown, type Value } from "./values.ts";

/**
 * The provider of a cloud that is only imagined, on top of the real one: functions and imports read what really exists,
 * and what is created, updated or deleted is answered as a preview foresees it. Ids and outputs that only AWS can tell
 * are placeholders. No call of it changes anything.
 */
export class Simulation extends Provider {
  override async create(request: Request, inputs: Properties): Promise<ReadResult> {
    const { state } = await super.create(request, inputs, true);
    const id = placeholder("id", request.urn, canonicalJson(inputs));
    return { id, inputs, state: imagined(state, id) };
  }

  override async update(
    request: Request,
    id: string,
    olds: { readonly inputs: Properties; readonly state: Properties },
    news: Properties,
  ): Promise<Properties> {
    return imagined(await super.update(request, id, olds, news, true), `${id} ${canonicalJson(news)}`);
  }

  override async delete(): Promise<void> {}

  /** A refresh finds what was imagined as it was. */
  override async read(
    request: Request,
    id: string,
    inputs: Properties,
    state: Properties,
  ): Promise<ReadResult | undefined> {
    return id.startsWith(prefix) ? { id, inputs, state } : super.read(request, id, inputs, state);
  }
}

const prefix = "sim-";

/** The same for the same resource with the same inputs, and like nothing that AWS hands out. */
function placeholder(...parts: readonly string[]): string {
  return prefix + createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 17);
}

/** Placeholders for what a preview does not know, wherever it is. */
function imagined(state: Properties, seed: string): Properties {
  const replace = (value: Value | undefined, path: string): Value | undefined => {
    if (value === unknown) return placeholder(path, seed);
    if (Array.isArray(value)) return value.map((entry, index) => replace(entry, `${path}[${index}]`) ?? null);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replace(entry, `${path}.${key}`)]));
  };
  return replace(state, "") as Properties;
}
