import { randomBytes } from "node:crypto";
import { type Config, ConfigError } from "../../stacks/config.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { firstPhase, isPhase, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineBusyError } from "../engine/end-engine.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import { exitCodes, explanationOf, HandoverError, say, toType } from "../errors.ts";
import { factsOf, hasWayBack, type LastPlanned, type RunIdentity, reachedBy, settle } from "../runbook/rows.ts";
import { lastByHand } from "../runbook/updates.ts";
import { applyEvent, type CommandStates } from "../site-commands/command-states.ts";
import type { Drive, DriveOptions } from "./drive.ts";
import { checkImage } from "./image.ts";
import { checkLaunch } from "./launch.ts";
import { checkGoal, type OpenStack } from "./open-stack.ts";
import { checkPrograms } from "./programs.ts";
import { putBack, type Why } from "./put-back.ts";
import { repair } from "./repair.ts";
import { RunLedger } from "./run-ledger.ts";
import { begunRun, type UnfinishedRun } from "./unfinished-run.ts";
import { walk } from "./walk.ts";
import { Walker } from "./walker.ts";

/** Goes to the goal: deploys an empty stack, begins a run, or goes on with one that was begun. */
export async function upgrade(session: OpenStack, options: DriveOptions): Promise<RunResult> {
  checkGoal(session);
  const { config, aws } = session;
  checkPrograms(config);
  await checkImage(aws, generationOf(config, config.live), options.signals.stop);
  await checkLaunch(session, options.signals.stop);
  if (session.last === undefined)
    return deploy({ session, options, ledger: new RunLedger(session.secrets, options.listener) });
  return underLease(session, options, async (drive) => {
    checkGoal(drive.session);
    if (options.refresh) await tellDrift(drive);
    const begun = await begunRun(session);
    if (begun !== undefined) {
      if (config.live === begun.to && !begun.rollingBack) return goOn(drive, begun);
      if (config.live === begun.from)
        return goBack(drive, begun, { reason: "The goal was reverted", exitCode: exitCodes.reached });
      throw unfinished(begun, session.stack);
    }
    const { last, engine } = drive.session;
    if (last === undefined) return deploy(drive);
    if (engine.state.interrupted) await repair(drive);
    if (last.outputs.run !== null) return takeOverByHand(drive, last.outputs.run);
    if (last.outputs.live === config.live) return settleOn(drive);
    return begin(drive, { from: last.outputs.live, to: config.live }, []);
  });
}

/** Goes on with the run that was begun, forwards or back, or with the first deployment. */
export async function resume(session: OpenStack, options: DriveOptions): Promise<RunResult> {
  if (session.last === undefined) return upgrade(session, options);
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "resume");
    if (!begun.rollingBack) return goOn(drive, begun);
    return goBack(drive, begun, { reason: "The rollback was resumed", exitCode: exitCodes.rolledBack });
  });
}

/** Goes back from the run that was begun. */
export async function rollback(session: OpenStack, options: DriveOptions): Promise<RunResult> {
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "rollback");
    return goBack(drive, begun, { reason: "A rollback was asked for", exitCode: exitCodes.reached });
  });
}

/** Gives a run up that has not launched anything: the site stays as it is, and the next run can begin. */
export async function abort(session: OpenStack, options: DriveOptions): Promise<RunResult> {
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "abort");
    const { from, to, reached } = begun;
    const { run = null, generations = {} } = drive.session.last?.outputs ?? {};
    const launched = reached !== undefined && !factsOf(reached).givesUp;
    if (launched || Object.keys(generations).some((name) => name !== from)) {
      throw new HandoverError("too-late-to-abort", exitCodes.usage, {
        happened: `The run from ${from} to ${to} has begun to launch servers, so it cannot be given up`,
        state: "Nothing was changed",
        next: toType("rollback", session.stack),
      });
    }
    const walker = new Walker(drive, begun, begun.commands);
    await walker.commands.thawIfFrozen();
    if (reached !== undefined || run !== null) {
      // Its snapshot is kept, but is not the next run's.
      await repair(drive);
      await walker.phaseOutliving(settle);
    }
    const happened = `The run from ${from} to ${to} was given up`;
    const explanation = { happened, state: `${from} serves, and nothing was launched` };
    return walker.finish({ outcome: "aborted", exitCode: exitCodes.reached, explanation });
  });
}

/** Begins a run; the phases in `finished` are behind it already. */
async function begin(
  drive: Drive,
  { from, to }: Omit<RunIdentity, "id">,
  finished: readonly PhaseName[],
  lastPlanned?: LastPlanned,
): Promise<RunResult> {
  const { session, ledger, options } = drive;
  const run = { id: runId(), from, to };
  await ledger.started(run, options.command, {
    before: session.config.generations[from]?.inputs ?? {},
    after: session.config.generations[to]?.inputs ?? {},
  });
  const behind = finished.map((phase) => ({ type: "phase-finished", phase }) as const);
  for (const event of behind) ledger.note(event);
  const commands = behind.reduce(applyEvent, {} as CommandStates);
  const reached = phaseNames[finished.length];
  return walk(drive, run, { finished, reached, lastPlanned, asked: [], approved: new Set(), commands });
}

/** The stack was stepped by hand: the run goes on from the phase that it is in, or back when the goal was reverted. */
async function takeOverByHand(drive: Drive, stepped: NonNullable<Outputs["run"]>): Promise<RunResult> {
  const { from, to, phase } = stepped;
  const { session, ledger, options } = drive;
  const { live } = session.config;
  const finished = isPhase(phase) ? phaseNames.slice(0, phaseNames.indexOf(phase)) : undefined;
  if (live === to && finished !== undefined) return begin(drive, { from, to }, finished, lastByHand(stepped));
  if (live !== from) throw unfinished({ from, to }, session.stack);
  const run = { id: runId(), from, to };
  await ledger.started(run, options.command, {
    before: session.config.generations[from]?.inputs ?? {},
    after: session.config.generations[to]?.inputs ?? {},
  });
  const reached = reachedBy(phase);
  const why = { reason: "The goal was reverted", exitCode: exitCodes.reached };
  return putBack(drive, new Walker(drive, run), { ...run, reached, back: [] }, why);
}

async function goOn(drive: Drive, begun: UnfinishedRun): Promise<RunResult> {
  await repair(drive);
  return walk(drive, begun, begun);
}

async function goBack(drive: Drive, begun: UnfinishedRun, why: Why): Promise<RunResult> {
  const { stack, last } = drive.session;
  const reached = begun.reached ?? firstPhase;
  if (last?.outputs.live === begun.to || !hasWayBack(reached)) {
    throw new HandoverError("no-way-back", exitCodes.usage, {
      happened: `${begun.from} is already being removed, so this run cannot go back`,
      state: `Nothing was changed. Once the run has ended, ${begun.from} can be the goal of the next one`,
      next: toType("resume", stack),
    });
  }
  await repair(drive);
  return putBack(drive, new Walker(drive, begun, begun.commands), { ...begun, reached }, why);
}

/** The first deployment, or what is left of one that was killed. */
async function deploy(drive: Drive): Promise<RunResult> {
  if (drive.session.engine.state.interrupted) await repair(drive);
  return settleOn(drive);
}

/** One update to the goal outside of a run: the first deployment, or a change that no live server notices. */
async function settleOn(drive: Drive): Promise<RunResult> {
  const { session, options } = drive;
  const { live } = session.config;
  const ledger = drive.ledger.unrecorded();
  const walker = new Walker({ ...drive, ledger }, { id: "deploy", from: live, to: live });
  const again = toType("upgrade", session.stack);
  ledger.tell({ type: "run-started", run: "deploy", from: live, to: live, resumed: false });
  try {
    await walker.phaseOutliving(settle);
    return await walker.finish({ outcome: "reached", exitCode: exitCodes.reached });
  } catch (error) {
    if (options.signals.stop.aborted) return walker.interrupted(settle, again);
    ledger.assertHeld();
    if (error instanceof EngineBusyError) throw error;
    const { happened, first = "Find and remove the cause", ...rest } = explanationOf(error);
    const explanation = { happened: ledger.redact(happened), state: "Nothing that serves was touched", ...rest };
    if (error instanceof EngineDiedError)
      return walker.finish({
        ...{ outcome: "paused", exitCode: exitCodes.paused, phase: settle, reason: "inconclusive" },
        explanation: { ...explanation, next: again },
      });
    ledger.tell({ type: "failed", phase: settle, message: say(explanation) });
    return walker.finish({
      ...{ outcome: "failed", exitCode: exitCodes.needsPerson, phase: settle },
      explanation: { ...explanation, first, next: again },
    });
  }
}

/** Tells what somebody changed in the cloud beside the run; a plan would change it back, and the policy refuses that. */
async function tellDrift({ session: { engine }, ledger, options: { signals } }: Drive): Promise<void> {
  const drift = await engine.refreshAll(AbortSignal.any([signals.cancel, ledger.lost]));
  for (const { op, type, name, properties } of drift) {
    const message = `drift: ${type} ${name}: ${op === "delete" ? "is gone" : properties.join(", ")}`;
    ledger.tell({ type: "warning", message });
  }
}

/** Works under the stack's lease, and gives it back. */
async function underLease(
  session: OpenStack,
  options: DriveOptions,
  work: (drive: Drive) => Promise<RunResult>,
): Promise<RunResult> {
  const { stack, region, secrets, engine } = session;
  const ledger = await RunLedger.open(stack, region, secrets, options, options.signals.stop, options.listener);
  engine.workUnder(ledger);
  try {
    // Another run may have ended between the first look and the lease.
    return await work({ session: { ...session, last: await engine.state.outputs() }, ledger, options });
  } finally {
    await ledger.close();
  }
}

function generationOf(config: Config, name: string) {
  const generation = config.generations[name];
  if (generation === undefined) throw new ConfigError([`handover:live: there is no generation "${name}"`]);
  return generation;
}

/** Sorts by time and is unique: `20261124-093015-5f3a`. */
function runId(): string {
  const [date = "", time = ""] = new Date().toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${randomBytes(2).toString("hex")}`;
}

async function mustHaveBegun(session: OpenStack, command: string): Promise<UnfinishedRun> {
  const begun = await begunRun(session);
  if (begun !== undefined) return begun;
  const { stack } = session;
  throw new HandoverError("no-run", exitCodes.usage, {
    happened: `There is no unfinished run on stack "${stack}" to ${command}`,
    state: "Nothing was changed",
    first: "To go to another generation, set handover:live to it",
    next: toType("upgrade", stack),
  });
}

function unfinished({ from, to }: Pick<UnfinishedRun, "from" | "to">, stack: string): ConfigError {
  return new ConfigError([
    `handover:live: a run from ${from} to ${to} has not ended. Finish it with \`handover resume --stack ${stack}\` or go back with \`handover rollback --stack ${stack}\`, and then go elsewhere`,
  ]);
}
