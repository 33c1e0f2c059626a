import { NotSeenError, notSeenInText, remedies } from "../cloud/not-seen.ts";
import type { Deployment } from "../engine/deployment.ts";
import { type Drift, topLevel } from "../engine/operation.ts";
import { exitCodes, HandoverError, messageOf, toType } from "../errors.ts";
import { LedgerMissingError } from "../ledger/errors.ts";
import type { Json } from "../ledger/events.ts";
import { readLease } from "../ledger/lease.ts";
import { redactText } from "../ledger/redact.ts";
import { readDrift } from "../run/drift.ts";
import { missingFrom } from "../run/missing.ts";
import type { OpenStack } from "../run/open-stack.ts";
import { ledgerOf } from "../run/run-ledger.ts";
import { openCopy } from "./copy.ts";
import { differences, leaves } from "./differences.ts";

/** A resource that is not as the last update left it. */
export interface DriftedResource {
  readonly type: string;
  readonly name: string;
  readonly gone: boolean;
  readonly properties: readonly { readonly name: string; readonly before: Json; readonly after: Json }[];
}

export interface DriftReport {
  readonly resources: readonly DriftedResource[];
  /** What no longer serves as the last update left it, in sentences. */
  readonly missing: readonly string[];
}

/**
 * Compares the stack's state with the cloud. It reads a copy of the state, so it takes no lock and changes nothing, and a run
 * that begins meanwhile is not held up.
 * @throws HandoverError `lease-held` while a run is at work, whose changes would be taken for drift, or `not-seen`
 */
export async function driftOf(stack: string, signal: AbortSignal): Promise<DriftReport> {
  const { opened, engine, close } = await openCopy(stack, "real");
  try {
    const { last, aws, secrets } = opened;
    if (last === undefined) throw neverDeployed(stack);
    const token = await tokenOf(opened);
    const state = await engine.state.export();
    const [drift, missing] = await Promise.all([
      readDrift(engine, aws.absentSeconds, signal),
      missingFrom(aws, last.outputs, signal),
    ]).catch((cause) => {
      signal.throwIfAborted();
      throw unseen(stack, cause, secrets);
    });
    if ((await tokenOf(opened)) !== token) throw busy(stack);
    return {
      resources: drift
        .map((each) => resourceOf(each, state, secrets))
        .filter(({ gone, properties }) => gone || properties.length > 0),
      missing: missing.flatMap(({ kind, says }) => (kind === "starting" ? [] : redactText(says, secrets))),
    };
  } finally {
    close();
  }
}

/** What the program leaves to whoever changes it is no drift. */
export function resourceOf(
  { op, urn, type, name, changes }: Drift,
  { resources = [] }: Deployment,
  secrets: ReadonlySet<string>,
): DriftedResource {
  const ignored = resources.find((each) => each.urn === urn)?.ignoreChanges ?? [];
  const isIgnored = (path: string) => ignored.includes(path) || ignored.includes(topLevel(path));
  return {
    type,
    name,
    gone: op === "delete",
    properties: changes
      .filter(({ path }) => !isIgnored(path))
      .flatMap(({ path, before, after }) => differences(leavesOf(path, before), leavesOf(path, after)))
      .map(({ name: property, before, after }) => ({
        name: property,
        before: shown(before, secrets),
        after: shown(after, secrets),
      })),
  };
}

function leavesOf(path: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries(leaves(path, value));
}

/** For a person to read: there is no digest to compare it by. */
function shown(value: unknown, secrets: ReadonlySet<string>): Json {
  if (value === undefined || value === null) return null;
  return JSON.parse(redactText(JSON.stringify(value), secrets)) as Json;
}

/** Number of the stack's last lease. While one is held, AWS is on its way to another state. */
async function tokenOf(opened: OpenStack): Promise<number> {
  const table = ledgerOf(opened);
  try {
    const lease = await readLease(table);
    if (lease.state === "held") throw busy(opened.stack);
    return lease.token;
  } catch (error) {
    if (error instanceof LedgerMissingError) return 0;
    throw error;
  } finally {
    table.client.destroy();
  }
}

function busy(stack: string): HandoverError {
  return new HandoverError("lease-held", exitCodes.busy, {
    happened: `A run works on stack "${stack}", and what it changes is no drift`,
    state: "Nothing was changed",
    first: "Look again when it has ended",
    next: toType("status", stack),
  });
}

function neverDeployed(stack: string): HandoverError {
  const happened = `Stack "${stack}" was never deployed, so there is nothing to compare`;
  return new HandoverError("stack-not-deployed", exitCodes.usage, {
    happened,
    state: "Nothing was changed",
    next: toType("upgrade", stack),
  });
}

/** What could not be read is no evidence that nothing changed. */
function unseen(stack: string, cause: unknown, secrets: ReadonlySet<string>): unknown {
  if (cause instanceof HandoverError) return cause;
  const text = redactText(messageOf(cause), secrets);
  const reason = notSeenInText(text) ?? "unavailable";
  const happened = `Stack "${stack}" could not be compared with AWS: ${text.split("\n").find((line) => /error/i.test(line)) ?? text}`;
  return new NotSeenError(reason, { happened, state: "Nothing was changed", first: remedies[reason] }, { cause });
}
