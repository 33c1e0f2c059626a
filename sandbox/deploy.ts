import type { Listener, RunResult } from "../automation/documents/events.ts";
import type { Signals } from "../automation/processes/signals.ts";
import { openStack } from "../automation/run/open-stack.ts";
import { upgrade } from "../automation/run/verbs.ts";

const never: Signals = { stop: new AbortController().signal, cancel: new AbortController().signal };

/** Lets the driver go to the goal of a stack, as `handover upgrade` does: from nothing, that deploys the live generation. */
export async function deploy(stack: string, listener: Listener, signals: Signals = never): Promise<RunResult> {
  const opened = await openStack(stack, { create: true });
  try {
    return await upgrade(opened, { command: `handover upgrade --stack ${stack}`, listener, signals });
  } finally {
    opened.close();
  }
}
