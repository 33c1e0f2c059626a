import { randomBytes } from "node:crypto";
import { type Config, ConfigError } from "../../stacks/config.ts";
import { firstPhase } from "../../stacks/runbook.ts";
import type { RunResult } from "../documents/events.ts";
import { EngineBusyError } from "../engine/end-engine.ts";
import { CutShortError } from "../engine/engine-errors.ts";
import { NotPlannedError } from "../engine/plan.ts";
import { type ExitCode, type Explanation, exitCodes, explanationOf, say, toType } from "../errors.ts";
import { GateError } from "../gates/gate-error.ts";
import { checkQuiet } from "../quiet/way.ts";
import { type RunIdentity, settle } from "../runbook/rows.ts";
import { driveAfter } from "./before.ts";
import { explainNotSeen } from "./blind.ts";
import { tellDrift } from "./drift.ts";
import type { Drive, DriveOptions } from "./drive.ts";
import { checkElasticIps } from "./elastic-ips.ts";
import { checkImage } from "./image.ts";
import { checkLaunch } from "./launch.ts";
import { checkOneSite } from "./one-site.ts";
import { checkGoal, type OpenStack } from "./open-stack.ts";
import { checkPlace } from "./place-check.ts";
import { checkPrograms } from "./programs.ts";
import { putBack, type Why } from "./put-back.ts";
import { checkReach } from "./reach.ts";
import { refusalOf, type Wish } from "./refusals.ts";
import { repair } from "./repair.ts";
import { forgetMissing } from "./restore.ts";
import { RunLedger } from "./run-ledger.ts";
import { behind, type Standing, standingOf } from "./standing.ts";
import { underLease } from "./under-lease.ts";
import { begunRun } from "./unfinished-run.ts";
import { walk } from "./walk.ts";
import { Walker } from "./walker.ts";

/** Goes to the goal: deploys an empty stack, begins a run, or goes on with one that was begun. */
export async function upgrade(opened: OpenStack, options: DriveOptions): Promise<RunResult> {
  checkGoal(opened);
  await checkPlace(opened, options.signals.stop);
  const { config, aws } = opened;
  checkPrograms(config);
  await checkImage(aws, generationOf(config, config.live), options.signals.stop);
  await checkLaunch(opened, options.signals.stop);
  await checkElasticIps(opened, options.signals.stop);
  await checkQuiet(opened, options.signals.stop);
  if (opened.last === undefined) {
    await checkOneSite(opened, options.signals.stop);
    return deploy({ opened, options, ledger: new RunLedger(opened.secrets, options.listener) });
  }
  return underLease(opened, options, async (drive) => {
    checkGoal(drive.opened);
    if (options.refresh) await tellDrift(drive);
    const standing = await standingFor("upgrade", drive);
    if (standing?.ended !== undefined) await recordEnd(drive, standing);
    else if (standing !== undefined) {
      if (config.live === standing.run.to) return goOn(drive, standing);
      return goBack(drive, standing, { reason: "The goal was reverted", exitCode: exitCodes.reached });
    }
    const { last, engine } = drive.opened;
    if (last === undefined) return deploy(drive);
    if (engine.state.interrupted) await repair(drive);
    if (last.outputs.live === config.live) return settleOn(drive);
    return begin(drive, { from: last.outputs.live, to: config.live });
  });
}

/** Goes on with the run that was begun, forwards or back, or with the first deployment. */
export async function resume(opened: OpenStack, options: DriveOptions): Promise<RunResult> {
  if (opened.last === undefined) return upgrade(opened, options);
  await checkPlace(opened, options.signals.stop);
  return underLease(opened, options, async (drive) => {
    const standing = await mustStand("resume", drive);
    const why = { reason: "The rollback was resumed", exitCode: exitCodes.rolledBack };
    if (standing.ended !== undefined) return finishEnded(drive, standing, why.exitCode);
    return standing.run.rollingBack ? goBack(drive, standing, why) : goOn(drive, standing);
  });
}

/** Goes back from the run that was begun. */
export async function rollback(opened: OpenStack, options: DriveOptions): Promise<RunResult> {
  await checkPlace(opened, options.signals.stop);
  return underLease(opened, options, async (drive) => {
    const standing = await mustStand("rollback", drive);
    if (standing.ended !== undefined) return finishEnded(drive, standing);
    return goBack(drive, standing, { reason: "A rollback was asked for", exitCode: exitCodes.reached });
  });
}

/** Gives a run up that has not launched anything: the site stays as it is, and the next run can begin. */
export async function abort(opened: OpenStack, options: DriveOptions): Promise<RunResult> {
  await checkPlace(opened, options.signals.stop);
  return underLease(opened, options, async (drive) => {
    const standing = await mustStand("abort", drive);
    if (standing.ended !== undefined) return finishEnded(drive, standing);
    const { from, to, reached, commands } = standing.run;
    await record(drive, standing);
    const walker = new Walker(drive, standing.run, commands);
    await walker.commands.thawIfFrozen();
    if (reached !== undefined || drive.opened.last?.outputs.run) {
      // Its snapshot is kept, but is not the next run's.
      await repair(drive);
      await walker.phaseOutliving(settle);
    }
    const happened = `The run from ${from} to ${to} was given up`;
    const explanation = { happened, state: `${from} serves, and nothing was launched` };
    return walker.finish({ outcome: "aborted", exitCode: exitCodes.reached, explanation });
  });
}

async function begin(drive: Drive, { from, to }: Omit<RunIdentity, "id">): Promise<RunResult> {
  await checkReach(drive.opened, drive.options.signals.stop);
  const run = { id: runId(), from, to };
  await started(drive, run);
  return walk(drive, run, { finished: [], asked: [], approved: new Set(), commands: {} });
}

async function started({ opened, ledger, options }: Drive, { id, from, to }: RunIdentity): Promise<void> {
  await ledger.started({ id, from, to }, options.command, {
    before: opened.config.generations[from]?.inputs ?? {},
    after: opened.config.generations[to]?.inputs ?? {},
  });
}

/** Records what a person did by hand: whoever goes on reads the ledger. */
async function record(drive: Drive, { run, unrecorded }: Standing): Promise<void> {
  if (unrecorded === "nothing") return;
  const { ledger } = drive;
  if (unrecorded === "run") await started(drive, run);
  for (const event of behind(run.finished)) ledger.note(event);
  if (run.reached !== undefined) await ledger.append({ type: "phase-started", phase: run.reached });
}

const endings = {
  reached: { outcome: "reached", how: "was finished" },
  "rolled-back": { outcome: "rolled-back", how: "was taken back" },
  "given-up": { outcome: "aborted", how: "was left for another generation" },
} as const;

/** Ends a run that a person ended by hand. @param backCode the exit code where it was taken back */
async function finishEnded(
  drive: Drive,
  standing: Standing,
  backCode: ExitCode = exitCodes.reached,
): Promise<RunResult> {
  const { run, ended = "reached" } = standing;
  const walker = new Walker(drive, run, run.commands);
  await walker.commands.thawIfFrozen();
  const exitCode = ended === "rolled-back" ? backCode : exitCodes.reached;
  return walker.finish({ outcome: endings[ended].outcome, exitCode, explanation: explainEnd(drive, standing) });
}

/** The same, where there is more to do. */
async function recordEnd(drive: Drive, standing: Standing): Promise<void> {
  const { run, ended = "reached" } = standing;
  await new Walker(drive, run, run.commands).commands.thawIfFrozen();
  await drive.ledger.append({ type: "run-finished", outcome: ended });
  drive.ledger.tell({ type: "warning", message: say(explainEnd(drive, standing)) });
}

function explainEnd(
  { opened: { last, stack } }: Drive,
  { run: { from, to }, ended = "reached" }: Standing,
): Explanation {
  return {
    happened: `The run from ${from} to ${to} ${endings[ended].how} outside of Handover`,
    state: `${last?.outputs.live} serves, as far as the stack knows; no gate has looked at it`,
    next: toType("status", stack),
  };
}

async function goOn(drive: Drive, standing: Standing): Promise<RunResult> {
  await record(drive, standing);
  await repair(drive);
  return walk(drive, standing.run, standing.run);
}

async function goBack(driven: Drive, standing: Standing, why: Why): Promise<RunResult> {
  const { run: begun } = standing;
  const drive = driveAfter(driven, begun.baseline);
  const reached = begun.reached ?? firstPhase;
  await record(drive, standing);
  await repair(drive);
  return putBack(drive, new Walker(drive, begun, begun.commands), { ...begun, reached }, why);
}

/** The first deployment, or what is left of one that was killed. */
async function deploy(drive: Drive): Promise<RunResult> {
  if (drive.opened.engine.state.interrupted) await repair(drive);
  return settleOn(drive);
}

/** One update to the goal outside of a run: the first deployment, or a change that no live server notices. */
async function settleOn(drive: Drive): Promise<RunResult> {
  const { opened, options } = drive;
  const { live } = opened.config;
  const ledger = drive.ledger.unrecorded();
  const walker = new Walker({ ...drive, ledger }, { id: "deploy", from: live, to: live });
  const again = toType("upgrade", opened.stack);
  ledger.tell({ type: "run-started", run: "deploy", from: live, to: live, resumed: false });
  try {
    if (opened.last !== undefined) await forgetMissing(drive, opened.last.outputs);
    await walker.phaseOutliving(settle);
    return await walker.finish({ outcome: "reached", exitCode: exitCodes.reached });
  } catch (error) {
    if (options.signals.stop.aborted) return walker.interrupted(settle, again);
    const blind = explainNotSeen(error);
    if (blind === undefined) ledger.assertHeld();
    if (error instanceof EngineBusyError) throw error;
    const { happened, first = "Find and remove the cause", ...rest } = { ...explanationOf(error), ...blind };
    const explanation = { happened: ledger.redact(happened), state: "Nothing that serves was touched", ...rest };
    const inconclusive = blind !== undefined || (error instanceof GateError && error.inconclusive);
    if (error instanceof CutShortError || error instanceof NotPlannedError || inconclusive)
      return walker.finish({
        ...{ outcome: "paused", exitCode: exitCodes.paused, phase: settle, reason: "inconclusive" },
        explanation: { ...explanation, ...(inconclusive && { first }), next: again },
      });
    ledger.tell({ type: "failed", phase: settle, message: say(explanation) });
    return walker.finish({
      ...{ outcome: "failed", exitCode: exitCodes.needsPerson, phase: settle },
      explanation: { ...explanation, first, next: again },
    });
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

/** Where the run stands on which a command is to work. @throws HandoverError where the command can do nothing with it */
async function standingFor(command: Wish["command"], drive: Drive): Promise<Standing | undefined> {
  const { opened } = drive;
  const outputs = opened.last?.outputs;
  const standing = standingOf(await begunRun(opened), outputs, runId);
  const refusal = refusalOf({ command, stack: opened.stack, goal: opened.config.live, standing, outputs });
  if (refusal === undefined) return standing;
  if (standing?.ended !== undefined) await recordEnd(drive, standing);
  throw refusal;
}

async function mustStand(command: Exclude<Wish["command"], "upgrade">, drive: Drive): Promise<Standing> {
  const standing = await standingFor(command, drive);
  if (standing === undefined) throw new Error(`No run to ${command}.`);
  return standing;
}
