import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RunEvent } from "../../automation/documents/events.ts";
import { packageDirectory } from "../../stacks/project.ts";

export interface Ended {
  /** Null when it was killed. */
  readonly exitCode: number | null;
  /** The last line of JSON. */
  readonly last: string;
}

export function problemOf({ exitCode, last }: Ended): string {
  return `exit code ${exitCode}: ${JSON.parse(last || "{}").message ?? last}`;
}

/** A driver in a process of its own, as in CI: its JSON lines, its exit, and the engine that it started. */
export class DriverProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #last = "";

  /** @param env variables beside those of this process */
  constructor(args: readonly string[], onEvent: (event: RunEvent) => void, env: Readonly<Record<string, string>> = {}) {
    const cli = join(packageDirectory, "automation", "cli", "main.ts");
    this.#child = spawn(process.execPath, [cli, ...args, "--json"], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, ...env },
    });
    this.#exit = new Promise((resolve, reject) => this.#child.once("error", reject).once("close", resolve));
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        this.#last = line;
        onEvent(JSON.parse(line));
      });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The engine that works for it now, if one does. */
  get enginePid(): number | undefined {
    return engineOf(this.pid);
  }

  async ended(): Promise<Ended> {
    return { exitCode: await this.#exit, last: this.#last };
  }
}

/** The engine that works for a driver now, if one does. */
export function engineOf(driver: number): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => pid > 0 && parentOf(pid) === driver && commandOf(pid).includes("pulumi"));
}

export function childOf(parent: number): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(read(pid, "status"))?.[1]);
}

function commandOf(pid: number): string {
  return read(pid, "cmdline");
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // It has ended.
  }
}
