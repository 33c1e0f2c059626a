import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { programExtension } from "../../stacks/project.ts";
import type { Command, Event } from "./generator.ts";
import type { LoadOptions, Targets } from "./load.ts";
import type { TrafficReport } from "./report.ts";

export type { Targets } from "./load.ts";
export type { TrafficReport } from "./report.ts";

export interface TrafficOptions extends LoadOptions {
  /** File to which the generator's output is appended. Default: this process's standard error. */
  readonly logFile?: string;
}

/** Load that runs in a process of its own, so that neither side delays the other. */
export interface Traffic {
  readonly pid: number | undefined;
  /** Requests that are sent from now on belong to this phase. */
  mark(phase: string): void;
  setTargets(targets: Targets): void;
  /**
   * Ends the load, waits for what is in flight (at most the timeout of a request), and says what was counted.
   * @throws if the generator died: what was not counted did not succeed.
   */
  stop(): Promise<TrafficReport>;
}

/**
 * Starts the load generator; resolves when it sends.
 * @throws if its process does not start.
 */
export async function startTraffic({ logFile, ...options }: TrafficOptions): Promise<Traffic> {
  const child = forkGenerator(logFile);
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      reject(new Error(`The load generator ended ${how} before it reported, so its requests are not counted.`));
    });
  });
  ended.catch(() => {});
  const started = once(child, "message");
  send(child, { type: "start", options });
  await Promise.race([started, ended]);
  return {
    pid: child.pid,
    mark: (phase) => send(child, { type: "mark", phase }),
    setTargets: (targets) => send(child, { type: "targets", targets }),
    stop: async () => {
      const reported = once(child, "message");
      send(child, { type: "stop" });
      const [event] = (await Promise.race([reported, ended])) as [Event];
      if (event.type !== "report") throw new Error(`The load generator answered "${event.type}" to stop.`);
      child.disconnect();
      return event.report;
    },
  };
}

function forkGenerator(logFile: string | undefined): ChildProcess {
  const log = logFile === undefined ? 2 : openSync(logFile, "a");
  const path = join(import.meta.dirname, `generator${programExtension}`);
  const child = fork(path, { stdio: ["ignore", log, log, "ipc"], execArgv: [] });
  if (logFile !== undefined) closeSync(log);
  return child;
}

/** A message to a process that is gone is lost; `stop` says so. */
function send(child: ChildProcess, command: Command): void {
  if (child.connected) child.send(command, () => {});
}
