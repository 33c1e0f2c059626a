import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { projectDirectory } from "../../../stacks/project.ts";

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `./handover` as a user does. */
export function handover(...args: string[]): Promise<Finished> {
  return run(join(projectDirectory, "handover"), args, process.env);
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

/** The environment that `sandbox env` gives, for this process's children. */
export async function environmentOf(name: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await handover("sandbox", "env", "--name", name, "--json");
  const variables = Object.entries(JSON.parse(stdout) as Record<string, string>);
  const env = { ...process.env };
  for (const [key, value] of variables) {
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
