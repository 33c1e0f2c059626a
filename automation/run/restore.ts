import { setTimeout as sleep } from "node:timers/promises";
import { generationNames, types } from "../../stacks/names.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { Absence } from "../cloud/absence.ts";
import { notSeenIn } from "../cloud/not-seen.ts";
import { CutShortError } from "../engine/engine-errors.ts";
import { type Explanation, exitCodes, HandoverError, messageOf } from "../errors.ts";
import { wasBad } from "../gates/context.ts";
import { GateError } from "../gates/gate-error.ts";
import { isRefused } from "../runbook/policy.ts";
import type { RunIdentity } from "../runbook/rows.ts";
import type { Drive } from "./drive.ts";
import { isThere, type Missing, missingFrom, missingRule, urnsOf } from "./missing.ts";
import { nameOf } from "./repair.ts";
import type { Walker } from "./walker.ts";

/**
 * Looks for what somebody took from the stack in AWS, and lets the state forget it, so that the next plan creates it
 * anew. The engine reads each from AWS again before it does. Where AWS cannot be asked, what comes next does what it can.
 * @returns what was missing
 */
export async function forgetMissing(drive: Drive, outputs: Outputs): Promise<readonly Missing[]> {
  return forget(drive, await look(drive, outputs));
}

/**
 * Gives a generation back what somebody took from it, in the row in which the stack is: before traffic or addresses come
 * to its servers they are all there, and answer.
 * @returns whether anything was missing
 * @throws ShortError
 */
export async function restore(drive: Drive, walker: Walker, generation: string): Promise<boolean> {
  const { outputs } = walker;
  if (outputs?.generations[generation] === undefined) return false;
  const missing = await look(drive, outputs);
  // A server that was stopped before the run is as it was, and no way back waits for it.
  const own = missing.filter(
    ({ generation: of, kind, id }) => of === generation && !(kind === "stopped" && wasBad(drive, "server", id)),
  );
  const isRuleGone = missing.some(({ kind }) => kind === "no-rule");
  // A server of the other generation that takes no requests any more is not registered again before it is removed.
  const leaves = ({ kind, generation: of }: Missing) => kind === "deregistered" && of !== generation;
  const forgotten = await forget(
    drive,
    missing.filter((each) => !leaves(each)),
  );
  const stopped = own.filter(({ kind }) => kind === "stopped");
  if (stopped.length > 0) throw stoppedServers(stopped, drive.opened.region, await staffOf(drive, generation, own));
  if (isRuleGone) await again(walker, outputs);
  if (own.length === 0 && !(await isShort(drive, generation))) return forgotten.length > 0;
  try {
    await walker.restore(outputs, generation);
    return true;
  } catch (error) {
    if (!isOfServers(error)) throw error;
    throw notRestored(error, generation, await staffOf(drive, generation, own));
  }
}

/**
 * Puts back what somebody took that no server has to prove, in the row in which the stack is: the test host name's rule,
 * addresses that were moved to a generation's servers, and arrays: what comes next changes these.
 * @param arraysOf generations whose arrays are still to serve, or to be changed
 * @returns whether anything was missing
 */
export async function restoreWays(
  drive: Drive,
  walker: Walker,
  generation: string,
  arraysOf: readonly string[] = [generation],
): Promise<boolean> {
  const { outputs } = walker;
  if (outputs === undefined || drive.opened.engine.state.interrupted) return false;
  const { frontends = [] } = outputs.generations[generation] ?? {};
  const arrays = Object.entries(outputs.generations)
    .filter(([name]) => arraysOf.includes(name))
    .map(([name, each]) => [name, { ...each, frontends: [], registered: false }]);
  const addresses = outputs.addresses.filter(({ instanceId: on }) =>
    frontends.some(({ instanceId }) => instanceId === on),
  );
  const { aws } = drive.opened;
  const signal = signalOf(drive);
  const missing = await seen(drive, async () => [
    ...(await missingRule(aws, outputs, signal)),
    ...(await missingFrom(aws, { generations: Object.fromEntries(arrays), addresses }, signal)),
  ]);
  const isMissing = (await forget(drive, missing)).length > 0;
  if (isMissing) await again(walker, outputs);
  return isMissing;
}

/** The row in which the stack is, once more. Where an update was cut off it is in none, and the next one does it. */
async function again(walker: Walker, outputs: Outputs): Promise<void> {
  await walker.again(outputs).catch((error) => {
    if (!isRefused(error)) throw error;
  });
}

/** Servers that are to take traffic: those that the stack has, and those of all that cannot serve. */
interface Staff {
  readonly there: readonly string[];
  readonly short: readonly string[];
}

/** What was missing has not proven itself, whether it was launched meanwhile or not. */
async function staffOf(drive: Drive, generation: string, missing: readonly Missing[]): Promise<Staff> {
  const there = await serversInState(drive);
  const absent = declared(drive, generation).filter((name) => !there.includes(name));
  return { there, short: [...new Set([...absent, ...missing.map(({ name }) => name)])] };
}

/** Whether an update before this one went on without servers that could not be launched. */
async function isShort(drive: Drive, generation: string): Promise<boolean> {
  const { run } = drive.opened.last?.outputs ?? {};
  // Old servers that are retired end one by one.
  if (run?.to === generation) return false;
  const there = await serversInState(drive);
  const own = declared(drive, generation);
  return there.length > 0 && own.some((name) => !there.includes(name));
}

function declared({ opened }: Drive, generation: string): string[] {
  const count = opened.shape.generations[generation]?.frontends ?? 0;
  return Array.from({ length: count }, (_, index) => generationNames.instance.of(generation, index));
}

/** Servers of all generations. */
async function serversInState({ opened }: Drive): Promise<string[]> {
  const { resources = [] } = await opened.engine.state.export();
  return resources.flatMap(({ type, urn }) => (type === types.instance ? [nameOf(urn)] : []));
}

/** Servers that are there on a way back where new ones are not: nobody launches these only to remove them. */
export async function thereOf(drive: Drive, { from, to }: RunIdentity): Promise<readonly string[] | undefined> {
  const there = await serversInState(drive);
  const all = [from, to].flatMap((name) => declared(drive, name));
  return there.length > 0 && all.some((name) => !there.includes(name)) ? there : undefined;
}

/** Whether AWS, or the servers themselves, are why they are not there: nothing else is known to be wrong. */
export function isOfServers(error: unknown): error is HandoverError {
  if (notSeenIn(error) !== undefined || error instanceof CutShortError) return false;
  return (
    error instanceof GateError ||
    (error instanceof HandoverError && (error.code === "update-failed" || error.code === "preview-failed"))
  );
}

async function look(drive: Drive, outputs: Outputs): Promise<readonly Missing[]> {
  const { aws } = drive.opened;
  const signal = signalOf(drive);
  const all = await seen(drive, () =>
    Promise.all([missingFrom(aws, outputs, signal), missingRule(aws, outputs, signal)]),
  );
  return all.flat();
}

async function seen<T>(drive: Drive, look: () => Promise<readonly T[]>): Promise<readonly T[]> {
  const { ledger } = drive;
  try {
    return await look();
  } catch (error) {
    const message = `What is missing in AWS could not be seen: ${ledger.redact(messageOf(error))}`;
    ledger.tell({ type: "warning", message });
    return [];
  }
}

async function forget(drive: Drive, missing: readonly Missing[]): Promise<readonly Missing[]> {
  const { engine } = drive.opened;
  const gone = missing.filter((each) => !isThere(each));
  if (gone.length === 0) return [];
  for (const { says } of gone) drive.ledger.tell({ type: "warning", message: `Beside the run: ${says}` });
  // One that is shutting down is still there for the engine.
  for (const { id, kind } of gone) if (kind === "ended") await terminated(drive, id);
  await engine.refresh(urnsOf(await engine.state.export(), gone), signalOf(drive));
  return gone;
}

/** Servers that are to take traffic cannot. What the others can take over, they may; the rest waits for a person. */
export class ShortError extends HandoverError {
  readonly there: readonly string[];
  readonly short: readonly string[];

  constructor(code: "server-stopped" | "server-missing", explanation: Explanation, { there, short }: Staff) {
    const state = "Nothing was moved to it: traffic and addresses are where they were";
    super(code, exitCodes.paused, { state, ...explanation });
    this.there = there;
    this.short = short;
  }

  /** The same, once what could be put back without them was, or could not be. */
  since(state: string): ShortError {
    const code = this.code === "server-stopped" ? this.code : "server-missing";
    return new ShortError(code, { ...this.explanation, state }, this);
  }
}

/** Nobody but a person knows why they are stopped: they are not started, and not replaced. */
function stoppedServers(stopped: readonly Missing[], region: string, staff: Staff): ShortError {
  const ids = stopped.map(({ id }) => id).join(" ");
  const explanation = {
    happened: stopped.map(({ says }) => says).join(", "),
    first: `Start it with \`aws ec2 start-instances --region ${region} --instance-ids ${ids}\`, or terminate it: one that is terminated is launched anew`,
  };
  return new ShortError("server-stopped", explanation, staff);
}

function notRestored(error: HandoverError, generation: string, staff: Staff): ShortError {
  const explanation = {
    happened: `${staff.short.join(", ") || generation} ended beside the run, and could not be put in its place again: ${error.explanation.happened}`,
    first: error.explanation.first ?? "Remove the cause: room in the zone, an image that is there, a quota",
  };
  return new ShortError("server-missing", explanation, staff);
}

/** Waits until everybody sees it: the engine would keep a server that it is shown as shutting down. */
async function terminated(drive: Drive, id: string): Promise<void> {
  const signal = signalOf(drive);
  const { aws } = drive.opened;
  const absence = new Absence();
  for (;;) {
    const state = (await aws.instanceStatuses([id], signal)).get(id)?.InstanceState?.Name;
    if (absence.isProven(state === undefined || state === "terminated", aws.absentSeconds)) return;
    await sleep(1000, undefined, { signal });
  }
}

function signalOf({ options, ledger }: Drive): AbortSignal {
  return AbortSignal.any([options.signals.stop, ledger.lost]);
}
