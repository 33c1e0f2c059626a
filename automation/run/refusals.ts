import type { Outputs } from "../../stacks/outputs.ts";
import { firstPhase } from "../../stacks/runbook.ts";
import { type CommandName, type Explanation, exitCodes, HandoverError, toType } from "../errors.ts";
import { factsOf, hasWayBack } from "../runbook/rows.ts";
import type { Standing } from "./standing.ts";

/** The facts by which a command on a run is refused. */
export interface Wish {
  readonly command: Extract<CommandName, "upgrade" | "resume" | "rollback" | "abort">;
  readonly stack: string;
  /** `handover:live` in the stack's file. */
  readonly goal: string;
  /** The run; undefined where there is none. */
  readonly standing: Standing | undefined;
  /** The stack's last outputs; undefined when it was never deployed. */
  readonly outputs: Pick<Outputs, "live" | "generations"> | undefined;
}

/** Why a command cannot do anything, with the one that can: it never names a command that would be refused as well. */
export function refusalOf(wish: Wish): HandoverError | undefined {
  const { command, stack, goal, standing } = wish;
  if (standing === undefined) return command === "upgrade" ? undefined : noRun(wish);
  const { run, ended } = standing;
  if (ended !== undefined)
    return command === "rollback" && ended === "reached" ? endedByHand(wish, standing) : undefined;
  if (command === "abort") return mayBeGivenUp(wish, standing) ? undefined : tooLate(wish, standing);
  const goesBack = command === "rollback" || run.rollingBack || (command === "upgrade" && goal === run.from);
  if (command === "upgrade" && goal !== run.from && (goal !== run.to || run.rollingBack))
    return unfinished(wish, standing);
  if (!goesBack || canGoBack(wish, standing)) return undefined;
  return refusal("no-way-back", {
    happened: `${run.from} is already being removed, so this run cannot go back`,
    state: `Nothing was changed. Once the run has ended, ${run.from} can be the goal of the next one`,
    next: toType("resume", stack),
  });
}

function canGoBack({ outputs }: Pick<Wish, "outputs">, { run }: Standing): boolean {
  return outputs?.live !== run.to && hasWayBack(run.reached ?? firstPhase);
}

function mayBeGivenUp({ outputs }: Wish, { run: { from, reached } }: Standing): boolean {
  const launched = reached !== undefined && !factsOf(reached).givesUp;
  return !launched && Object.keys(outputs?.generations ?? {}).every((name) => name === from);
}

function noRun({ command, stack }: Wish): HandoverError {
  return refusal("no-run", {
    happened: `There is no unfinished run on stack "${stack}" to ${command}`,
    state: "Nothing was changed",
    first: "To go to another generation, set handover:live to it",
    next: toType("upgrade", stack),
  });
}

function endedByHand({ stack }: Wish, { run: { from, to } }: Standing): HandoverError {
  return refusal("no-way-back", {
    happened: `The run from ${from} to ${to} was finished outside of Handover, so it cannot go back`,
    state: `Nothing was changed. ${to} serves alone, and the run is on record as ended`,
    first: `To go back, set handover:live to ${from}`,
    next: toType("upgrade", stack),
  });
}

function tooLate(wish: Wish, standing: Standing): HandoverError {
  const { from, to } = standing.run;
  return refusal("too-late-to-abort", {
    happened: `The run from ${from} to ${to} has begun to launch servers, so it cannot be given up`,
    state: "Nothing was changed",
    next: toType(canGoBack(wish, standing) ? "rollback" : "resume", wish.stack),
  });
}

/** A run stands between the stack and its goal: it ends first. */
function unfinished(wish: Wish, standing: Standing): HandoverError {
  const { from, to, rollingBack } = standing.run;
  const both = !rollingBack && canGoBack(wish, standing);
  return refusal("run-unfinished", {
    happened: `handover:live: a run from ${from} to ${to} ${rollingBack ? "is on its way back and " : ""}has not ended`,
    state: "Nothing was changed. It ends first, and then the next can begin",
    next: toType("resume", wish.stack),
    ...(both && { or: [{ to: "go back", type: toType("rollback", wish.stack) }] }),
  });
}

function refusal(code: string, explanation: Explanation): HandoverError {
  return new HandoverError(code, exitCodes.usage, explanation);
}
