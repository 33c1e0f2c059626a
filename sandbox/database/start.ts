import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packageDirectory, programExtension } from "../../stacks/project.ts";
import { startService } from "../processes.ts";
import type { Slot } from "../slot.ts";

export interface DatabaseOptions {
  readonly slot: Slot;
  /** Folder for the database's files. */
  readonly directory: string;
  readonly logFile: string;
  /** The database outlives this process. Default: false. */
  readonly detached?: boolean;
}

/** A WebAssembly module is compiled once and quickly: optimizing it takes more time and memory than it saves here. */
const nodeOptions = ["--liftoff-only", "--max-semi-space-size=2"];

/** Starts an empty PostgreSQL at the slot's address. */
export async function startDatabase({ slot, directory, logFile, detached }: DatabaseOptions): Promise<ChildProcess> {
  cpSync(await cluster(), directory, { recursive: true });
  const { host, port } = slot.database;
  return startService("database", {
    command: process.execPath,
    args: [...nodeOptions, program("main"), "--host", host, "--port", String(port), "--directory", directory],
    logFile,
    detached,
  });
}

/** The files of an empty database, which take seconds to make: they are made once, in a process that gives its memory back. */
async function cluster(): Promise<string> {
  const tools = process.env.HANDOVER_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "handover");
  const made = join(tools, `database-${version()}`);
  if (existsSync(made)) return made;
  mkdirSync(tools, { recursive: true });
  const work = mkdtempSync(join(tools, ".database-"));
  try {
    await execa(process.execPath, [...nodeOptions, program("init"), work]);
    if (!existsSync(made)) renameSync(work, made);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return made;
}

function version(): string {
  const { dependencies } = JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8"));
  return dependencies["@electric-sql/pglite"];
}

function program(name: string): string {
  return join(import.meta.dirname, `${name}${programExtension}`);
}
