import { randomBytes } from "node:crypto";
import { type Config, ConfigError, type Input } from "../../stacks/config.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { isAfter, type PhaseName, phaseNames } from "../../stacks/runbook.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineBusyError } from "../engine/end-engine.ts";
import { EngineDiedError } from "../engine/engine-errors.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import type { Json } from "../ledger/events.ts";
import { type LastPlanned, lastByHand, type RunIdentity } from "../runbook/updates.ts";
import { type Drive, type DriveOptions, walkerOf } from "./drive.ts";
import { checkImage } from "./image.ts";
import { checkLaunch } from "./launch.ts";
import { mend, ridingOut } from "./mend.ts";
import { checkGoal, type Session } from "./open-stack.ts";
import { checkPrograms } from "./programs.ts";
import { putBack, type Why } from "./put-back.ts";
import { RunLedger } from "./run-ledger.ts";
import { begunRun, type UnfinishedRun } from "./unfinished-run.ts";
import { walk } from "./walk.ts";

/** Goes to the goal: deploys an empty stack, begins a run, or goes on with one that was begun. */
export async function upgrade(session: Session, options: DriveOptions): Promise<RunResult> {
  checkGoal(session);
  const { config, aws } = session;
  checkPrograms(config);
  await checkImage(aws, generationOf(config, config.live), options.signals.stop);
  await checkLaunch(session, options.signals.stop);
  if (session.last === undefined) return deploy({ session, options, ledger: new RunLedger(session.secrets) });
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
    if (engine.state.interrupted) await mend(drive);
    if (last.outputs.run !== null) return takeOverByHand(drive, last.outputs.run);
    if (last.outputs.live === config.live) return settleOn(drive);
    return begin(drive, { from: last.outputs.live, to: config.live }, []);
  });
}

/** Goes on with the run that was begun, forwards or back, or with the first deployment. */
export async function resume(session: Session, options: DriveOptions): Promise<RunResult> {
  if (session.last === undefined) return upgrade(session, options);
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "resume");
    if (!begun.rollingBack) return goOn(drive, begun);
    return goBack(drive, begun, { reason: "The rollback was resumed", exitCode: exitCodes.rolledBack });
  });
}

/** Goes back from the run that was begun. */
export async function rollback(session: Session, options: DriveOptions): Promise<RunResult> {
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "rollback");
    return goBack(drive, begun, { reason: "A rollback was asked for", exitCode: exitCodes.reached });
  });
}

/** Gives a run up that has not launched anything: the site stays as it is, and the next run can begin. */
export async function abort(session: Session, options: DriveOptions): Promise<RunResult> {
  return underLease(session, options, async (drive) => {
    const begun = await mustHaveBegun(session, "abort");
    const { from, to, reached } = begun;
    const { run = null, generations = {} } = drive.session.last?.outputs ?? {};
    const launched = reached !== undefined && isAfter(reached, "migrate");
    if (launched || Object.keys(generations).some((name) => name !== from)) {
      throw new HandoverError(
        "too-late-to-abort",
        exitCodes.usage,
        `The run from ${from} to ${to} has begun to launch servers. Nothing was changed. Remove them with: handover rollback --stack ${session.stack}`,
      );
    }
    const walker = walkerOf(drive, begun, begun.commands);
    await walker.commands.thawIfFrozen();
    if (reached !== undefined || run !== null) {
      // Its snapshot is kept, but is not the next run's.
      await mend(drive);
      await ridingOut(drive, walker, "settle");
    }
    await drive.ledger.append({ type: "run-finished", outcome: "failed" });
    const message = `The run from ${from} to ${to} was given up. ${from} serves, and nothing was launched.`;
    return walker.finish("aborted", exitCodes.reached, { message });
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
    before: inputs(session.config, from),
    after: inputs(session.config, to),
  });
  for (const phase of finished) ledger.notePhaseFinished(phase);
  const commands = finished.includes("migrate") ? { migrate: "done" as const } : {};
  const reached = phaseNames[finished.length];
  return walk(drive, run, { finished, reached, lastPlanned, asked: [], approved: new Set(), commands });
}

/** The stack was stepped by hand: the run goes on from the phase that it is in, or back when the goal was reverted. */
async function takeOverByHand(drive: Drive, stepped: NonNullable<Outputs["run"]>): Promise<RunResult> {
  const { from, to, phase } = stepped;
  const { session, ledger, options } = drive;
  const { live } = session.config;
  const index = phaseNames.indexOf(phase as PhaseName);
  if (live === to && index >= 0) return begin(drive, { from, to }, phaseNames.slice(0, index), lastByHand(stepped));
  if (live !== from) throw unfinished({ from, to }, session.stack);
  const run = { id: runId(), from, to };
  await ledger.started(run, options.command, {
    before: inputs(session.config, from),
    after: inputs(session.config, to),
  });
  const reached = phaseNames[index] ?? "connect";
  const why = { reason: "The goal was reverted", exitCode: exitCodes.reached };
  return putBack(drive, walkerOf(drive, run), { ...run, reached, back: [] }, why);
}

async function goOn(drive: Drive, begun: UnfinishedRun): Promise<RunResult> {
  await mend(drive);
  return walk(drive, begun, begun);
}

async function goBack(drive: Drive, begun: UnfinishedRun, why: Why): Promise<RunResult> {
  const { stack, last } = drive.session;
  if (last?.outputs.live === begun.to || begun.reached === "retire") {
    throw new HandoverError(
      "no-way-back",
      exitCodes.usage,
      `${begun.from} is already being removed, so this run cannot go back. Nothing was changed. Finish it with \`handover resume --stack ${stack}\`, then set handover:live to ${begun.from} and run \`handover upgrade --stack ${stack}\`.`,
    );
  }
  await mend(drive);
  const run = { ...begun, reached: begun.reached ?? "backup" };
  return putBack(drive, walkerOf(drive, begun, begun.commands), run, why);
}

/** The first deployment, or what is left of one that was killed. */
async function deploy(drive: Drive): Promise<RunResult> {
  if (drive.session.engine.state.interrupted) await mend(drive);
  return settleOn(drive);
}

/** One update to the goal outside of a run: the first deployment, or a change that no live server notices. */
async function settleOn(drive: Drive): Promise<RunResult> {
  const { listener, signals } = drive.options;
  const { live } = drive.session.config;
  const walker = walkerOf({ ...drive, ledger: drive.ledger.unrecorded() }, { id: "deploy", from: live, to: live });
  listener({ type: "run-started", run: "deploy", from: live, to: live, resumed: false });
  try {
    await ridingOut(drive, walker, "settle");
    return walker.finish("reached", exitCodes.reached);
  } catch (error) {
    if (signals.stop.aborted) {
      return walker.finish("interrupted", exitCodes.interrupted, {
        message: "Interrupted. Run the same command again to go on.",
      });
    }
    drive.ledger.assertHeld();
    if (error instanceof EngineBusyError) throw error;
    if (error instanceof EngineDiedError) {
      const message = `${error.message} Nothing that serves was touched. Type the same command again to go on.`;
      return walker.finish("paused", exitCodes.paused, { message });
    }
    const message = `${messageOf(error)}. Nothing that serves was touched. Mend the cause, then run the same command again.`;
    listener({ type: "failed", phase: "settle", message });
    return walker.finish("failed", exitCodes.needsPerson, { message });
  }
}

/** What somebody changed in the cloud beside the run; a plan would change it back, and the policy refuses that. */
async function tellDrift({ session: { engine }, ledger, options: { listener, signals } }: Drive): Promise<void> {
  const drift = await engine.refreshAll(AbortSignal.any([signals.cancel, ledger.lost]));
  for (const { op, type, name, properties } of drift) {
    listener({
      type: "warning",
      message: `drift: ${type} ${name}: ${op === "delete" ? "is gone" : properties.join(", ")}`,
    });
  }
}

/** Works under the stack's lease, and gives it back. */
async function underLease(
  session: Session,
  options: DriveOptions,
  work: (drive: Drive) => Promise<RunResult>,
): Promise<RunResult> {
  const ledger = await RunLedger.open(session.stack, session.region, session.secrets, options, options.signals.stop);
  const { engine } = session;
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

/** Inputs for the ledger; a secret that was not decrypted stays out. */
function inputs(config: Config, name: string): Json {
  const visible = (input: Input) => (typeof input === "string" ? input : "[secret]");
  return Object.fromEntries(
    Object.entries(config.generations[name]?.inputs ?? {}).map(([key, input]) => [key, visible(input)]),
  );
}

/** Sorts by time and is unique: `20261124-093015-5f3a`. */
function runId(): string {
  const [date = "", time = ""] = new Date().toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${randomBytes(2).toString("hex")}`;
}

async function mustHaveBegun(session: Session, command: string): Promise<UnfinishedRun> {
  const begun = await begunRun(session);
  if (begun !== undefined) return begun;
  const { stack } = session;
  throw new HandoverError(
    "no-run",
    exitCodes.usage,
    `There is no unfinished run on stack "${stack}" to ${command}. Nothing was changed. To go to another generation, set handover:live to it and run: handover upgrade --stack ${stack}`,
  );
}

function unfinished({ from, to }: Pick<UnfinishedRun, "from" | "to">, stack: string): ConfigError {
  return new ConfigError([
    `handover:live: a run from ${from} to ${to} has not ended. Finish it with \`handover resume --stack ${stack}\` or go back with \`handover rollback --stack ${stack}\`, and then go elsewhere`,
  ]);
}
