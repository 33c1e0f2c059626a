import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, type Stack, StackNotFoundError } from "@pulumi/pulumi/automation/index.js";
import { stringify } from "yaml";
import { NotSeenError, notSeenInText, remedies } from "../cloud/not-seen.ts";
import { exitCodes, HandoverError, messageOf, toType } from "../errors.ts";
import { attemptsOf, backendName, restoreState, withoutAttributes } from "./backend.ts";
import { BriefCommand } from "./brief-command.ts";
import { projectName, projectProgram, readProject } from "./project.ts";
import { lastLine } from "./recorder.ts";
import type { StackFile } from "./stack-file.ts";

export interface OpenOptions {
  /** Whether to create the stack in the backend when it is not there. */
  readonly create: boolean;
  /** Variables of the engine beside this process's own. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A stack of the backend, and a folder of its own in which the engine works on it. */
export interface Workspace {
  readonly stack: Stack;
  readonly command: BriefCommand;
  readonly directory: string;
  /** As it is in the folder: creating a stack adds the salt of its secrets. */
  readonly file: StackFile;
}

/**
 * Selects the stack in its backend.
 * @throws HandoverError `stack-not-deployed`, `not-seen` or `engine-failed`; nothing was changed
 */
export async function openWorkspace(file: StackFile, { create, environment }: OpenOptions): Promise<Workspace> {
  const directory = mkdtempSync(join(tmpdir(), "handover-"));
  try {
    writeFileSync(join(directory, "Pulumi.yaml"), projectFile());
    writeFileSync(configFile(directory, file), file.text, { mode: 0o600 });
    const selected = { stackName: file.stack, projectName: projectName(), program: projectProgram() };
    const pulumiCommand = await BriefCommand.get();
    const envVars = {
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...attemptsOf(process.env),
      ...withoutAttributes(process.env),
      ...environment,
    };
    // The engine is on this machine; grpc-js would ask a proxy for it.
    process.env.no_grpc_proxy ??= "127.0.0.1,localhost";
    restoreState(file.stack, projectName(), process.env);
    const options = { workDir: directory, pulumiCommand, envVars, secretsProvider: file.secretsProvider };
    const stack = await LocalWorkspace.selectStack(selected, options).catch((error) => {
      if (create && error instanceof StackNotFoundError) return LocalWorkspace.createStack(selected, options);
      throw error;
    });
    // Creating a stack may add the salt of its secrets to the file.
    const text = readFileSync(configFile(directory, file), "utf8");
    return { stack, command: pulumiCommand, directory, file: { ...file, text } };
  } catch (cause) {
    rmSync(directory, { recursive: true, force: true });
    if (cause instanceof StackNotFoundError) {
      throw new HandoverError(
        "stack-not-deployed",
        exitCodes.usage,
        {
          happened: `Stack "${file.stack}" was never deployed`,
          state: "Nothing was changed",
          next: toType("upgrade", file.stack),
        },
        { cause },
      );
    }
    const notSeen = notSeenInText(messageOf(cause));
    if (notSeen !== undefined) {
      const happened = `The Pulumi backend did not open stack "${file.stack}" in ${backendName()}: ${lastLine(cause)}`;
      throw new NotSeenError(notSeen, { happened, state: "Nothing was changed", first: remedies[notSeen] }, { cause });
    }
    throw new HandoverError(
      "engine-failed",
      exitCodes.usage,
      `The Pulumi backend did not open stack "${file.stack}" in ${backendName()}: ${lastLine(cause)}. Nothing was changed.`,
      { cause },
    );
  }
}

/** The workspace's project, with the backend of the site's own. */
function projectFile(): string {
  const { backend } = readProject();
  return stringify({ name: projectName(), runtime: "nodejs", ...(backend !== undefined && { backend }) });
}

/** The stack's file in the workspace's folder. */
export function configFile(directory: string, { stack }: StackFile): string {
  return join(directory, `Pulumi.${stack}.yaml`);
}
