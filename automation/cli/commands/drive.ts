import type { InferredOptionTypes } from "yargs";
import { phaseNames } from "../../../stacks/runbook.ts";
import { NotSeenError, notSeenIn } from "../../cloud/not-seen.ts";
import type { RunResult } from "../../documents/events.ts";
import { exitCodes, explanationOf, HandoverError, toType } from "../../errors.ts";
import { explainNotSeen } from "../../run/blind.ts";
import type { OpenStack } from "../../run/open-stack.ts";
import { servingOf } from "../../run/serving.ts";
import { confirm, isAttended } from "../confirm.ts";
import { parseDuration } from "../duration.ts";
import { explainInterrupt, interrupts } from "../interrupts.ts";
import { phaseTable, progressLines } from "../progress.ts";
import { type GlobalArguments, note, print, printJson, stackOption } from "./command.ts";

/** Options of the commands that work on a stack: they take its lease. */
export const driveOptions = {
  ...stackOption,
  wait: {
    type: "string",
    describe: "how long to wait for another run to end, for example 90s or 10m",
    requiresArg: true,
  },
  "take-over": {
    type: "boolean",
    default: false,
    describe: "take over the lease of a process that died on this machine",
  },
  "pause-before": {
    type: "array",
    string: true,
    default: [] as string[],
    choices: phaseNames,
    describe: "phases before which a person must approve",
  },
  "accept-schema": { type: "boolean", default: false, describe: "go back even if migrations are not reversible" },
  "accept-state": {
    type: "boolean",
    default: false,
    describe: "go on with a state that is older than the site's newest run, and was brought up to date by hand",
  },
  migration: {
    choices: ["done", "again"] as const,
    describe: "what to do about a migration that was cut off: it is done, or run it again",
    requiresArg: true,
  },
  refresh: {
    type: "boolean",
    default: false,
    describe: "read the cloud first, and list what was changed outside Handover's runs",
  },
  "lease-seconds": {
    type: "number",
    default: 60,
    hidden: true,
    describe: "how long the lease lasts without a heartbeat",
  },
  yes: { alias: "y", type: "boolean", default: false, describe: "do not show the plan and ask first, at a terminal" },
  "auto-approve": { type: "boolean", default: false, describe: "do not wait for approvals" },
} as const;

export type DriveArguments = InferredOptionTypes<typeof driveOptions>;

/**
 * Shows a person at a terminal what the upgrade would do, and asks. Whoever gives `--yes`, and what has no terminal, is not
 * asked. A plan that cannot be made keeps nobody from going on with a run: the driver has its own.
 * @throws HandoverError when the answer is no; nothing was changed
 */
export async function askFirst({ stack, yes, json }: DriveArguments & GlobalArguments): Promise<void> {
  if (yes || json || !isAttended()) return;
  const [{ review }, { planTable }] = await Promise.all([
    import("../../plan/review.ts"),
    import("../../plan/table.ts"),
  ]);
  const signals = interrupts(note);
  try {
    note("planning …");
    const result = await review(stack, undefined, signals.stop).catch((error) => {
      if (signals.stop.aborted || !(error instanceof HandoverError) || error.exitCode === exitCodes.usage) throw error;
      note(`There is no plan to show: ${error.message}`);
    });
    for (const line of result === undefined ? [] : planTable(result)) note(line);
    if (await confirm(result === undefined ? "Go on without it?" : "Do this?", signals.stop)) return;
    const state = "Nothing was changed";
    throw new HandoverError("not-confirmed", exitCodes.usage, { happened: "The answer was not yes", state });
  } catch (error) {
    throw explainInterrupt(error, signals);
  } finally {
    signals.dispose();
  }
}

/** Opens the stack, lets the driver do a command on it, and prints what it tells: lines, or JSON lines. */
export async function drive(
  command: "upgrade" | "resume" | "rollback" | "abort",
  args: DriveArguments & GlobalArguments,
  { create }: { readonly create: boolean } = { create: false },
): Promise<number> {
  const [driver, { openStack }] = await Promise.all([import("../../run/verbs.ts"), import("../../run/open-stack.ts")]);
  const signals = interrupts(note);
  const opened = await openStack(args.stack, { create });
  try {
    const result = await driver[command](opened, {
      command: `handover ${command} --stack ${args.stack}`,
      waitSeconds: args.wait === undefined ? 0 : parseDuration("--wait", args.wait),
      takeOver: args["take-over"],
      leaseSeconds: args["lease-seconds"],
      pauseBefore: args["pause-before"],
      acceptSchema: args["accept-schema"],
      acceptState: args["accept-state"],
      migration: args.migration,
      refresh: args.refresh,
      autoApprove: args["auto-approve"],
      listener: args.json ? (event) => printJson("event", event) : progressLines(note, args),
      signals,
    });
    if (!args.json) printResult(result);
    return result.exitCode;
  } catch (error) {
    throw explainInterrupt(notSeenFor(opened, args.stack, error), signals);
  } finally {
    opened.close();
    signals.dispose();
  }
}

/** One that could not be begun or gone on with says what serves, and which command leads on. */
function notSeenFor({ last }: Pick<OpenStack, "last">, stack: string, error: unknown): unknown {
  const [notSeen, explained] = [notSeenIn(error), explainNotSeen(error)];
  if (notSeen === undefined || explained === undefined) return error;
  const { state = servingOf(last?.outputs), next = toType("upgrade", stack) } = explanationOf(error);
  return new NotSeenError(notSeen, { ...explained, state, next }, { cause: error });
}

function printResult({ outcome, from, to, seconds, phases, message }: RunResult): void {
  const route = from === to ? to : `${from} -> ${to}`;
  print([
    ...phaseTable(phases),
    "",
    `${route}: ${outcome} in ${seconds.toFixed(0)} s`,
    ...(message === undefined ? [] : [message]),
  ]);
}
