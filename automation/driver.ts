import { randomBytes } from "node:crypto";
import { type Config, ConfigError, type Input } from "../stacks/config.ts";
import type { SiteShape } from "../stacks/intent.ts";
import { isAfter, type PhaseName, phaseNames, withdraw } from "../stacks/runbook.ts";
import { type ExitCode, exitCodes, HandoverError, InterruptedError, messageOf } from "./errors.ts";
import { checkImage } from "./gates/image.ts";
import { type UnfinishedRun, unfinishedRun } from "./history.ts";
import type { Json } from "./ledger/events.ts";
import { readJournal } from "./ledger/journal.ts";
import { recover } from "./recovery.ts";
import type { Listener, Outcome, RunResult } from "./report/events.ts";
import { ApprovalNeeded, GateError, type RunIdentity, type Signals, Walker } from "./run.ts";
import { type LeaseWish, ledgerOf, RunLedger } from "./run-ledger.ts";
import { checkGoal, type Session } from "./session.ts";

export interface DriveOptions extends LeaseWish {
  readonly listener: Listener;
  readonly signals: Signals;
  /** Phases before which a person must approve, beside those of the configuration. */
  readonly pauseBefore?: readonly string[];
  /** Nobody is asked. Default: false. */
  readonly autoApprove?: boolean;
}

/** Goes to the goal: deploys an empty stack, begins a run, or goes on with one that was begun. */
export async function upgrade(session: Session, options: DriveOptions): Promise<RunResult> {
  checkGoal(session);
  const { config, last, aws } = session;
  const goal = generationOf(config, config.live);
  await checkImage(aws, goal, options.signals.stop);
  if (last === undefined) return settleOn(session, new RunLedger(session.secrets), options, config.live);
  return withLedger(session, options, async (ledger) => {
    const begun = await begunRun(session);
    if (begun !== undefined) {
      if (config.live === begun.to && !begun.rollingBack) return goOn(session, ledger, options, begun);
      if (config.live === begun.from)
        return goBack(session, ledger, options, begun, {
          reason: "The goal was reverted",
          exitCode: exitCodes.reached,
        });
      throw unfinished(begun, session.stack);
    }
    if (last.outputs.live === config.live) return settleOn(session, ledger, options, config.live);
    const run = { id: runId(), from: last.outputs.live, to: config.live };
    await ledger.started(run, options.command, { before: inputs(config, run.from), after: inputs(config, run.to) });
    return walk(session, ledger, options, run, { finished: [], approved: new Set() });
  });
}

/** Goes on with the run that was begun, forwards or back. */
export async function resume(session: Session, options: DriveOptions): Promise<RunResult> {
  return withLedger(session, options, async (ledger) => {
    const begun = await begunRun(session);
    if (begun === undefined) throw nothingBegun(session.stack, "resume");
    if (begun.rollingBack)
      return goBack(session, ledger, options, begun, {
        reason: "The rollback was resumed",
        exitCode: exitCodes.rolledBack,
      });
    return goOn(session, ledger, options, begun);
  });
}

/** Goes back from the run that was begun. */
export async function rollback(session: Session, options: DriveOptions): Promise<RunResult> {
  return withLedger(session, options, async (ledger) => {
    const begun = await begunRun(session);
    if (begun === undefined) throw nothingBegun(session.stack, "rollback");
    return goBack(session, ledger, options, begun, { reason: "A rollback was asked for", exitCode: exitCodes.reached });
  });
}

/** The phases that a site has: no backup without a database, no address moves without addresses. */
export function phasesOf(shape: SiteShape, config: Config, { from, to }: { from: string; to: string }): PhaseName[] {
  const arrays = [from, to].some((name) => config.generations[name]?.array !== undefined);
  const skipped: Partial<Record<PhaseName, boolean>> = {
    backup: !shape.database,
    migrate: config.upgrade.migrate === undefined,
    "suspend-array": !arrays,
    "resume-array": !arrays,
    "move-addresses": shape.elasticIps === 0,
    "launch-rest": config.generations[to]?.frontends === 1,
  };
  return phaseNames.filter((name) => skipped[name] !== true);
}

/** Why a run goes back, and the exit code when it got there: 0 where going back was the wish. */
interface Why {
  readonly reason: string;
  readonly exitCode: ExitCode;
}

interface Progress {
  readonly finished: readonly PhaseName[];
  readonly approved: ReadonlySet<string>;
}

/** Walks the phases that are left; what fails on the way is put back. */
async function walk(
  session: Session,
  ledger: RunLedger,
  options: DriveOptions,
  run: RunIdentity,
  progress: Progress,
): Promise<RunResult> {
  const { config, shape } = session;
  const { listener } = options;
  const started = performance.now();
  const walker = new Walker(session, run, ledger, listener, options.signals);
  const ended = (outcome: Outcome, exitCode: number, more: Partial<RunResult> = {}) =>
    finish(walker, run, started, outcome, exitCode, listener, more);
  listener({ type: "run-started", run: run.id, from: run.from, to: run.to, resumed: progress.finished.length > 0 });
  let reached: PhaseName | undefined;
  try {
    for (const phase of phasesOf(shape, config, run)) {
      if (progress.finished.includes(phase)) continue;
      reached = phase;
      await walker.phase(phase, {
        needsApproval: ({ digest }) => mustAsk(phase, options, config) && !progress.approved.has(digest),
      });
    }
    await ledger.append({ type: "run-finished", outcome: "reached" });
    return ended("reached", exitCodes.reached);
  } catch (error) {
    return await stopped(error);
  }

  async function stopped(error: unknown): Promise<RunResult> {
    const phase = reached ?? "backup";
    const { stack } = session;
    if (options.signals.stop.aborted) {
      const signal = String(options.signals.stop.reason);
      await ledger.append({ type: "interrupted", signal, phase });
      return ended("interrupted", exitCodes.interrupted, { message: new InterruptedError(signal).message });
    }
    if (error instanceof ApprovalNeeded) {
      await ledger.append({ type: "paused", phase, reason: "approval", digest: error.plan.digest });
      const message = `${phase} waits for approval. The site serves as it is. Go on with: handover approve --stack ${stack} --digest ${error.plan.digest} && handover resume --stack ${stack}`;
      return ended("paused", exitCodes.paused, { message, digest: error.plan.digest });
    }
    ledger.assertHeld();
    const message = messageOf(error);
    listener({ type: "failed", phase, message });
    const pauses = (error instanceof GateError && error.inconclusive) || config.upgrade.onFailure === "pause";
    if (pauses) {
      await ledger.append({ type: "paused", phase, reason: "inconclusive" });
      return ended("paused", exitCodes.paused, {
        message: `${message}. Nothing was taken back. Go on with \`handover resume --stack ${stack}\`, or back with \`handover rollback --stack ${stack}\`.`,
      });
    }
    if (phase === "retire") {
      return ended("failed", exitCodes.needsPerson, {
        message: `${message}. ${run.to} serves and the old servers are being removed, so there is no way back. Look at the cause, then: handover resume --stack ${stack}`,
      });
    }
    return putBack(
      session,
      ledger,
      options,
      walker,
      { ...run, reached: phase },
      { reason: message, exitCode: exitCodes.rolledBack },
      started,
    );
  }
}

async function goOn(
  session: Session,
  ledger: RunLedger,
  options: DriveOptions,
  begun: UnfinishedRun,
): Promise<RunResult> {
  await mend(session, options);
  return walk(session, ledger, options, begun, begun);
}

async function goBack(
  session: Session,
  ledger: RunLedger,
  options: DriveOptions,
  begun: UnfinishedRun,
  why: Why,
): Promise<RunResult> {
  await mend(session, options);
  const walker = new Walker(session, begun, ledger, options.listener, options.signals);
  if (session.last?.outputs.live === begun.to || begun.reached === "retire") {
    throw new HandoverError(
      "no-way-back",
      exitCodes.usage,
      `${begun.from} is already being removed, so this run cannot go back. Nothing was changed. Finish it with \`handover resume --stack ${session.stack}\`, then set handover:live to ${begun.from} and run \`handover upgrade --stack ${session.stack}\`.`,
    );
  }
  return putBack(
    session,
    ledger,
    options,
    walker,
    { ...begun, reached: begun.reached ?? "backup" },
    why,
    performance.now(),
  );
}

/** What a killed run left is put in order before anything else is done. */
async function mend({ engine, aws }: Session, { listener, signals }: DriveOptions): Promise<void> {
  const { adopted, cleared } = await recover(engine, aws, signals.stop);
  for (const { urn, id } of adopted)
    listener({
      type: "warning",
      message: `${id} was created by the run that was killed; it is adopted as ${urn.split("::").at(-1)}`,
    });
  for (const { urn, operation } of cleared)
    listener({
      type: "warning",
      message: `${operation} ${urn.split("::").at(-1)} was in flight when the run was killed; it is done again`,
    });
}

/** Traffic and addresses go back in one update; then what was launched drains and is removed. */
async function putBack(
  session: Session,
  ledger: RunLedger,
  { listener, signals }: DriveOptions,
  walker: Walker,
  run: RunIdentity & { readonly reached: PhaseName },
  { reason, exitCode }: Why,
  started: number,
): Promise<RunResult> {
  listener({ type: "rollback-started", phase: run.reached, reason });
  await ledger.append({ type: "rollback-started", phase: run.reached, reason: ledger.redact(reason) });
  try {
    // Deregistered servers must be healthy again before traffic comes back to them.
    if (run.reached === "drain") await walker.phase("observe");
    if (isAfter(run.reached, "launch-rest")) await walker.phase(withdraw);
    await walker.phase("settle");
    await ledger.append({ type: "run-finished", outcome: "rolled-back" });
    const message = `${reason}. ${run.from} serves, and ${run.to} is gone.`;
    return finish(walker, run, started, "rolled-back", exitCode, listener, { message });
  } catch (error) {
    if (signals.stop.aborted) {
      const signal = String(signals.stop.reason);
      await ledger.append({ type: "interrupted", signal, phase: run.reached });
      return finish(walker, run, started, "interrupted", exitCodes.interrupted, listener, {
        message: new InterruptedError(signal).message,
      });
    }
    const message = `${reason}. Going back failed too: ${messageOf(error)}. Look at what serves with \`handover status --stack ${session.stack}\`, then: handover rollback --stack ${session.stack}`;
    return finish(walker, run, started, "failed", exitCodes.needsPerson, listener, { message });
  }
}

/** One update to the goal outside of a run: the first deployment, or a change that no live server notices. */
async function settleOn(
  session: Session,
  ledger: RunLedger,
  { listener, signals }: DriveOptions,
  live: string,
): Promise<RunResult> {
  const run = { id: "deploy", from: live, to: live };
  const started = performance.now();
  const walker = new Walker(session, run, ledger, listener, signals);
  listener({ type: "run-started", run: run.id, from: live, to: live, resumed: false });
  try {
    await walker.phase("settle");
    return finish(walker, run, started, "reached", exitCodes.reached, listener);
  } catch (error) {
    if (signals.stop.aborted)
      return finish(walker, run, started, "interrupted", exitCodes.interrupted, listener, {
        message: "Interrupted. Run the same command again to go on.",
      });
    const message = `${messageOf(error)}. Nothing that serves was touched. Mend the cause, then run the same command again.`;
    listener({ type: "failed", phase: "settle", message });
    return finish(walker, run, started, "failed", exitCodes.needsPerson, listener, { message });
  }
}

function finish(
  walker: Walker,
  run: RunIdentity,
  started: number,
  outcome: Outcome,
  exitCode: number,
  listener: Listener,
  more: Partial<RunResult> = {},
): RunResult {
  const result: RunResult = {
    outcome,
    run: run.id,
    from: run.from,
    to: run.to,
    live: walker.last?.outputs.live ?? run.from,
    seconds: (performance.now() - started) / 1000,
    phases: walker.phases,
    exitCode,
    ...more,
  };
  listener({ type: "run-finished", ...result });
  return result;
}

/** Works under the stack's lease, and gives it back. */
async function withLedger(
  session: Session,
  options: DriveOptions,
  work: (ledger: RunLedger) => Promise<RunResult>,
): Promise<RunResult> {
  const ledger = await RunLedger.open(session.stack, session.region, session.secrets, options, options.signals.stop);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** The newest run, if it has not ended. */
export async function begunRun({
  stack,
  region,
}: Pick<Session, "stack" | "region">): Promise<UnfinishedRun | undefined> {
  const table = ledgerOf(stack, region);
  try {
    const journal = readJournal(table);
    const [newest] = await journal.runs();
    return newest === undefined || newest.finished !== undefined
      ? undefined
      : unfinishedRun(await journal.events(newest.run));
  } finally {
    table.client.destroy();
  }
}

function mustAsk(phase: PhaseName, { autoApprove = false, pauseBefore = [] }: DriveOptions, config: Config): boolean {
  return !autoApprove && [...config.upgrade.pauseBefore, ...pauseBefore].includes(phase);
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

function unfinished({ from, to }: UnfinishedRun, stack: string): ConfigError {
  return new ConfigError([
    `handover:live: a run from ${from} to ${to} has not ended. Finish it with \`handover resume --stack ${stack}\` or go back with \`handover rollback --stack ${stack}\`, and then go elsewhere`,
  ]);
}

function nothingBegun(stack: string, command: string): HandoverError {
  return new HandoverError(
    "no-run",
    exitCodes.usage,
    `There is no unfinished run on stack "${stack}" to ${command}. Nothing was changed. To go to another generation, set handover:live to it and run: handover upgrade --stack ${stack}`,
  );
}
