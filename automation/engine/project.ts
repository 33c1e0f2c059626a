import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { ConfigError } from "../../stacks/config.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { isRecord } from "../ledger/canonical.ts";

/**
 * What `Pulumi.yaml` says, as it is: https://www.pulumi.com/docs/iac/concepts/projects/project-file/
 * @throws ConfigError when it is no project's
 */
export function readProject(): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parse(readFileSync(join(projectDirectory, "Pulumi.yaml"), "utf8"));
  } catch (error) {
    throw new ConfigError([`Pulumi.yaml: cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
  if (isRecord(content) && typeof content.name === "string" && content.name !== "") return content;
  throw new ConfigError(["Pulumi.yaml: has no `name:`; add for example: name: handover"]);
}

/** The project's name: the backend has the stacks under it. */
export function projectName(): string {
  return String(readProject().name);
}

/**
 * The project's own program. It is loaded when the engine calls it: most commands only read what the backend has.
 * @throws ConfigError when there is none; called, it throws one when it exports no function
 */
export function projectProgram(): () => Promise<Record<string, unknown>> {
  const { main } = readProject();
  const path = join(projectDirectory, typeof main === "string" ? main : ".");
  // A folder has its program in index.ts.
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, "index.ts") : path;
  if (!existsSync(file))
    throw new ConfigError([
      `Pulumi.yaml: main: there is no ${file}; its content may be: export { program as default } from "handover"`,
    ]);
  return async () => {
    const { default: program } = await import(pathToFileURL(file).href);
    if (typeof program === "function") return program();
    throw new ConfigError([
      `${file}: exports no function by default; it may: export { program as default } from "handover"`,
    ]);
  };
}
