import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A plugin that runs without an engine. */
export interface PluginProcess {
  /** The port that it printed as its first line, or the reason why there is none. */
  readonly port: Promise<number | string>;
  /** The reason why it is no more. */
  readonly ended: Promise<string>;
  /** Ends it and what it started: it may be a script. */
  readonly kill: (signal: "SIGTERM" | "SIGKILL") => void;
}

/**
 * Starts a plugin as nobody's child but ours: it takes any port, and prints it.
 * https://github.com/pulumi/pulumi/blob/master/pkg/resource/provider/main.go
 */
export function startPlugin(executable: string, log: (line: string) => void): PluginProcess {
  const plugin = spawn(executable, [], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = new Promise<string>((resolve) => {
    plugin.once("error", (error) => resolve(error.message));
    plugin.once("exit", (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const lines = createInterface({ input: plugin.stdout });
  const first = once(lines, "line").then(([line]) => portIn(String(line)) ?? "it printed no port");
  lines.on("line", log);
  createInterface({ input: plugin.stderr }).on("line", log);
  return { port: Promise.race([first, ended]), ended, kill: (signal) => killGroup(plugin, signal) };
}

function portIn(line: string): number | undefined {
  const port = Number(line);
  return line.trim() !== "" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
