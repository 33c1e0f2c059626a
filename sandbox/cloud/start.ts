import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { startService } from "../processes.ts";
import type { Slot } from "../slot.ts";

export interface CloudOptions {
  readonly slot: Slot;
  readonly logFile: string;
  /** Settings, see settings.py: `bootSeconds`, `addressPool`, `images`, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The cloud outlives this process. Default: false. */
  readonly detached?: boolean;
}

/** Starts the sandbox's cloud at the slot's address. */
export async function startCloud({
  slot,
  logFile,
  config = {},
  detached,
}: CloudOptions): Promise<{ process: ChildProcess; url: string }> {
  const command = process.env.HANDOVER_PYTHON;
  if (command === undefined)
    throw new Error(
      "HANDOVER_PYTHON is not set: start through ./handover or `make test`, which bring the cloud's Python environment.",
    );
  const { host, port, url } = slot.cloud;
  const configFile = `${logFile}.config.json`;
  writeFileSync(
    configFile,
    JSON.stringify({ addressPool: slot.addressPool, loadBalancerPool: slot.loadBalancerPool, ...config }),
  );
  const args = ["-B", import.meta.dirname, "--host", host, "--port", String(port), "--config", configFile];
  const env = {
    ...process.env,
    // moto would put everybody into that account, who assumed a role of another one too.
    MOTO_ACCOUNT_ID: undefined,
    // Its threads take turns, so memory of its own for each would only be more.
    MALLOC_ARENA_MAX: "1",
    AWS_ACCESS_KEY_ID: "cloud",
    AWS_SECRET_ACCESS_KEY: "cloud",
  };
  return { process: await startService("cloud", { command, args, env, logFile, detached }), url };
}
