import { EventEmitter, once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import type { RunEvent } from "../../automation/documents/events.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { assertDocuments } from "../automation/documents/validate.ts";

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `./handover` as a user does. What it prints with `--json` must be as docs/schemas say. */
export async function handover(...args: string[]): Promise<Finished> {
  const finished = await run(join(projectDirectory, "handover"), args, process.env);
  if (args.includes("--json")) assertDocuments(args, finished.stdout);
  return finished;
}

/** Runs a program in the project's folder. */
export async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  const { exitCode, stdout, stderr, message } = await execa(file, args, {
    cwd: projectDirectory,
    env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  if (exitCode === undefined) throw new Error(message);
  return { exitCode, stdout, stderr };
}

/** A command that works on a stack, while it works: its JSON lines as they come. */
export interface Driver {
  readonly pid: number;
  /** The first event of this kind, now or later; rejects when the driver ends without it. */
  seen<Type extends RunEvent["type"]>(type: Type, phase?: string): Promise<Extract<RunEvent, { type: Type }>>;
  readonly ended: Promise<Driven>;
}

export interface Driven extends Finished {
  readonly events: readonly RunEvent[];
  /** The last line: how the run ended, or the error. */
  readonly last: Record<string, unknown>;
}

/** Starts `./handover … --json`; the process is the driver itself. */
export function startDriver(args: readonly string[], onEvent: (event: RunEvent) => void = () => {}): Driver {
  const child = execa(join(projectDirectory, "handover"), [...args, "--json"], {
    cwd: projectDirectory,
    reject: false,
    stdin: "ignore",
  });
  const events: RunEvent[] = [];
  const told = new EventEmitter();
  const ended = (async () => {
    for await (const line of child) {
      assertDocuments(args, line);
      const event = JSON.parse(line) as RunEvent;
      events.push(event);
      onEvent(event);
      told.emit("event");
    }
    const { exitCode = -1, stdout, stderr } = await child;
    return { exitCode, stdout, stderr, events, last: (events.at(-1) ?? {}) as unknown as Record<string, unknown> };
  })();
  return {
    pid: child.pid ?? 0,
    ended,
    async seen<Type extends RunEvent["type"]>(type: Type, phase?: string) {
      const isIt = (event: RunEvent): event is Extract<RunEvent, { type: Type }> =>
        event.type === type && (phase === undefined || ("phase" in event && event.phase === phase));
      for (;;) {
        const event = events.find(isIt);
        if (event !== undefined) return event;
        const over = await Promise.race([once(told, "event").then(() => undefined), ended]);
        if (over !== undefined && !events.some(isIt))
          throw new Error(`The driver ended without ${type} ${phase ?? ""}: ${over.stdout}${over.stderr}`);
      }
    },
  };
}

/** Runs `./handover … --json` to its end. */
export function drive(args: readonly string[], onEvent?: (event: RunEvent) => void): Promise<Driven> {
  return startDriver(args, onEvent).ended;
}

/** Starts a sandbox in which nothing is deployed, in a process of its own: that process belongs to it. */
export function startSandbox(options: { readonly name: string; readonly like?: string }): Promise<Finished> {
  const module = JSON.stringify(join(projectDirectory, "sandbox", "sandbox.ts"));
  const script = `const { up } = await import(${module}); await up(${JSON.stringify(options)});`;
  return run(process.execPath, ["--input-type=module", "--eval", script], process.env);
}

/** The environment that `sandbox env` gives, for this process's children. */
export async function environmentOf(name: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await handover("sandbox", "env", "--name", name, "--json");
  const { variables } = JSON.parse(stdout) as { variables: Record<string, string> };
  const env = { ...process.env };
  for (const [key, value] of Object.entries(variables)) {
    if (value === "") delete env[key];
    else env[key] = value;
  }
  return env;
}

// biome-ignore lint/suspicious/noExplicitAny: tests edit any part of a stack's file
type StackConfig = Record<string, any>;

/** Edits the configuration of a stack's file, as a person would. */
export function editStack(name: string, edit: (config: StackConfig) => void, from = name): void {
  const file = (stack: string) => join(projectDirectory, `Pulumi.${stack}.yaml`);
  const content = parse(readFileSync(file(from), "utf8")) as { config: StackConfig };
  edit(content.config);
  writeFileSync(file(name), stringify(content, { collectionStyle: "block" }));
}

export function removeStackFile(name: string): void {
  rmSync(join(projectDirectory, `Pulumi.${name}.yaml`), { force: true });
}
