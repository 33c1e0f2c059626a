import { setTimeout as sleep } from "node:timers/promises";
import type { Outputs } from "../../stacks/outputs.ts";
import { exitCodes, HandoverError, messageOf } from "../errors.ts";
import { wasBad } from "../gates/context.ts";
import { lastUpdate } from "../runbook/updates.ts";
import type { Drive } from "./drive.ts";
import { isThere, type Missing, missingFrom, urnsOf } from "./missing.ts";
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
 * @throws StoppedError
 */
export async function restore(drive: Drive, walker: Walker, generation: string): Promise<void> {
  const { outputs } = walker;
  if (outputs?.generations[generation] === undefined) return;
  const missing = await look(drive, outputs);
  // A server that was stopped before the run is as it was, and no way back waits for it.
  const own = missing.filter(
    ({ generation: of, kind, id }) => of === generation && !(kind === "stopped" && wasBad(drive, "server", id)),
  );
  const stopped = own.filter(({ kind }) => kind === "stopped");
  if (stopped.length > 0) throw new StoppedError(stopped, drive.opened.region);
  await forget(drive, missing);
  if (own.length > 0) await walker.restore(lastUpdate(outputs), generation);
}

async function look(drive: Drive, outputs: Outputs): Promise<readonly Missing[]> {
  const { opened, ledger } = drive;
  try {
    return await missingFrom(opened.aws, outputs, signalOf(drive));
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

/** Servers that are to take traffic are stopped. Nobody but a person knows why: they are not started, and not replaced. */
export class StoppedError extends HandoverError {
  constructor(stopped: readonly Missing[], region: string) {
    const ids = stopped.map(({ id }) => id).join(" ");
    super("server-stopped", exitCodes.paused, {
      happened: stopped.map(({ says }) => says).join(", "),
      state: "Nothing was moved to it: traffic and addresses are where they were",
      first: `Start it with \`aws ec2 start-instances --region ${region} --instance-ids ${ids}\`, or terminate it: one that is terminated is launched anew`,
    });
  }
}

async function terminated(drive: Drive, id: string): Promise<void> {
  const signal = signalOf(drive);
  for (;;) {
    const state = (await drive.opened.aws.instanceStatuses([id], signal)).get(id)?.InstanceState?.Name;
    if (state === undefined || state === "terminated") return;
    await sleep(1000, undefined, { signal });
  }
}

function signalOf({ options, ledger }: Drive): AbortSignal {
  return AbortSignal.any([options.signals.stop, ledger.lost]);
}
