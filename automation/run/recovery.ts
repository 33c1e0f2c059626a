import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import type { Aws } from "../cloud/aws.ts";
import type { Deployment, PendingOperation, StateResource } from "../engine/deployment.ts";
import type { Engine } from "../engine/engine.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import type { State } from "../engine/state.ts";

export interface Recovery {
  /** Resources that were created while nobody wrote it down; they are in the state now. */
  readonly adopted: readonly { readonly urn: string; readonly id: string }[];
  /** Operations that were in flight and are done again by the next update. */
  readonly cleared: readonly { readonly urn: string; readonly operation: string }[];
}

/** A plugin outlives its engine for a moment, and what it has in hand may take effect only then. */
const patienceSeconds = 10;

export interface RecoverOptions {
  /** Creations that the engine forgot when its update was cut short; they are treated as those in flight are. Default: none. */
  readonly forgotten?: readonly StateResource[];
  /** Seconds. */
  readonly patience?: number;
}

/**
 * Mends what a killed engine left. An operation in flight is in the state as pending, and whether it took effect is not
 * known: the cloud's truth wins. What was created is looked for by the name or the tags that it was created with, and
 * adopted; every other operation is forgotten, since the next update does it again to the same end.
 */
export async function recover(
  engine: Readable & Pick<Engine, "unlock">,
  aws: Pick<Aws, "findCreated">,
  signal: AbortSignal,
  { forgotten = [], patience = patienceSeconds }: RecoverOptions = {},
): Promise<Recovery> {
  await engine.unlock(signal);
  const deployment = await engine.state.export();
  const resources = deployment.resources ?? [];
  const unfinished = resources.filter(({ initErrors = [] }) => initErrors.length > 0);
  const pending = [
    ...(deployment.pending_operations ?? []),
    ...forgotten
      .filter(({ urn }) => !unfinished.some((resource) => resource.urn === urn))
      .map((resource) => ({ type: "creating", resource })),
  ];
  if (pending.length === 0 && unfinished.length === 0) return { adopted: [], cleared: [] };
  const known = new Set(resources.map(({ id }) => id));
  const found = await Promise.all(
    pending.map(async (operation) => ({ operation, id: await createdId(operation, aws, known, { signal, patience }) })),
  );
  const adopted = found.flatMap(({ operation: { resource }, id }) =>
    id === undefined ? [] : [{ ...resource, id, outputs: outputsOf(resource) }],
  );
  const whole = mended(deployment, adopted);
  if (pending.length > 0) await engine.state.import(whole);
  const unread = [...adopted, ...unfinished].map(({ urn }) => urn);
  if (unread.length > 0) await read(engine, whole, unread, { signal, patience });
  return {
    adopted: adopted.map(({ urn, id }) => ({ urn, id })),
    cleared: found.flatMap(({ operation, id }) =>
      id === undefined ? [{ urn: operation.resource.urn, operation: operation.type }] : [],
    ),
  };
}

/**
 * Reads resources of the state once more: AWS may have shown what was just changed as it was before.
 * @param isDone whether a reading is what was waited for. Default: any that has the resource's tags.
 */
export async function readAgain(
  engine: Readable,
  urns: readonly string[],
  signal: AbortSignal,
  { isDone = () => true, patience = patienceSeconds }: ReadAgainOptions = {},
): Promise<void> {
  const state = await engine.state.export();
  const there = (state.resources ?? []).map(({ urn }) => urn).filter((urn) => urns.includes(urn));
  if (there.length > 0) await read(engine, state, there, { signal, patience, isDone });
}

export interface ReadAgainOptions {
  readonly isDone?: (reading: StateResource) => boolean;
  /** Seconds. */
  readonly patience?: number;
}

export type Readable = Pick<Engine, "refresh"> & { readonly state: Pick<State, "export" | "import"> };

/**
 * Reads what was adopted, or was created and not read yet. What AWS does not show at that moment the engine takes for
 * deleted, and drops: then the state is put back, and read again. So it is where AWS does not show the tags yet: a state
 * without a tag that no update changes would have the next one take it off.
 */
async function read(
  engine: Readable,
  whole: Deployment,
  urns: readonly string[],
  { signal, patience, isDone = () => true }: ReadAgainOptions & { signal: AbortSignal; patience: number },
): Promise<void> {
  const look = async () => {
    await engine.refresh(urns, signal);
    const shown = ((await engine.state.export()).resources ?? []).filter(({ urn }) => urns.includes(urn));
    const isWhole = (resource: StateResource) => isShown(resource, inputsOf(whole, resource.urn)) && isDone(resource);
    if (shown.length === urns.length && shown.every(isWhole)) return;
    // The last reading stays if tags never come: somebody may have taken them off.
    if (shown.length < urns.length) await engine.state.import(whole);
    throw new NotShownError();
  };
  // A provider that died may be there again only a moment later.
  const shouldRetry = ({ error }: { error: Error }) =>
    error instanceof EngineDiedError || error instanceof NotShownError;
  const limits = { retries: 2 * patience, minTimeout: 500, factor: 1 };
  await pRetry(look, { ...limits, signal, shouldRetry }).catch((error) => {
    // It is in the state, unread: if it is gone by now, the next update finds that out.
    if (!(error instanceof NotShownError)) throw error;
  });
}

class NotShownError extends Error {}

/** The inputs with which a resource was made. */
function inputsOf({ resources = [] }: Deployment, urn: string): Readonly<Record<string, unknown>> {
  return resources.find((resource) => resource.urn === urn)?.inputs ?? {};
}

/**
 * Whether a reading has what comes after the resource itself: its tags, and the network of an internet gateway, which would
 * be attached a second time and refused.
 */
function isShown({ inputs, outputs }: StateResource, made: Readonly<Record<string, unknown>>): boolean {
  const tags = keysOf(outputs?.tags ?? inputs?.tags);
  const isTagged = keysOf(made.tags).every((key) => key === "__defaults" || tags.includes(key));
  return isTagged && (!made.vpcId || Boolean((outputs ?? inputs)?.vpcId));
}

/** Those of an array are a list, which AWS shows with the array. */
function keysOf(tags: unknown): readonly string[] {
  return typeof tags === "object" && tags !== null && !Array.isArray(tags) ? Object.keys(tags) : [];
}

/** The deployment without pending operations and with what was adopted. */
export function mended(deployment: Deployment, adopted: readonly StateResource[]): Deployment {
  return { ...deployment, pending_operations: [], resources: [...(deployment.resources ?? []), ...adopted] };
}

/**
 * Its inputs stand for its outputs until it is read: without any the plugin would take the reading for an import, and
 * lose what AWS cannot tell. A route is found by another id than its own, so it is imported; AWS tells all of it.
 */
function outputsOf({ type, inputs = {} }: StateResource): Readonly<Record<string, unknown>> {
  return type === "aws:ec2/route:Route" ? {} : (withoutDefaults(inputs) as Readonly<Record<string, unknown>>);
}

/** Without the plugin's notes of which inputs are defaults. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "__defaults");
  return Object.fromEntries(entries.map(([key, entry]) => [key, withoutDefaults(entry)]));
}

async function createdId(
  { type, resource }: PendingOperation,
  aws: Pick<Aws, "findCreated">,
  known: ReadonlySet<string | undefined>,
  { signal, patience }: { readonly signal: AbortSignal; readonly patience: number },
): Promise<string | undefined> {
  if (type !== "creating") return undefined;
  const deadline = performance.now() + patience * 1000;
  for (;;) {
    const ids = await aws.findCreated(resource.type, resource.inputs ?? {}, signal);
    const id = ids?.find((each) => !known.has(each));
    if (id !== undefined || ids === undefined || performance.now() >= deadline) return id;
    await sleep(500, undefined, { signal });
  }
}
