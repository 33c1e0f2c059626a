import { isUtf8 } from "node:buffer";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Config } from "./types.ts";
import type { UpgradeConfig } from "./upgrade-schema.ts";

/** Problems of the files and programs that the configuration names. */
export function fileProblems(config: Config, projectDirectory: string): string[] {
  return [...checkFiles(config, projectDirectory), ...checkCommands(config, projectDirectory)];
}

function checkFiles({ generations }: Config, projectDirectory: string): string[] {
  return Object.values(generations).flatMap(({ name, userDataFile }) => {
    if (userDataFile === undefined) return [];
    const [file, key] = [resolvePath(projectDirectory, userDataFile), `handover:generations.${name}.userDataFile`];
    if (!existsSync(file) || !statSync(file).isFile())
      return [`${key}: there is no file ${userDataFile} in the project's folder; create it or correct the path`];
    if (isUtf8(readFileSync(file))) return [];
    return [
      `${key}: ${userDataFile} is no text in UTF-8, and what cloud-init would find of it is spoilt; let a script in it fetch what is binary`,
    ];
  });
}

/** A program that is given by its path; one without a slash is looked for on PATH when it is run. */
function checkCommands({ upgrade }: Config, projectDirectory: string): string[] {
  return programsOf(upgrade).flatMap(([path, program]) => {
    if (!program.includes("/") || isExecutable(resolvePath(projectDirectory, program))) return [];
    return [`${path}: ${program} is not executable; correct the path, or: chmod +x ${program}`];
  });
}

/** The program of each of the site's own commands, by the path of its key. */
export function programsOf({
  backup,
  migrate,
  beforeMove,
  smoke = [],
}: UpgradeConfig): [path: string, program: string][] {
  const commands: [string, readonly string[] | undefined][] = [
    ["backup.freeze.command", backup?.freeze.command],
    ["backup.thaw.command", backup?.thaw.command],
    ["migrate.command", migrate?.command],
    ["migrate.rollbackCommand", migrate?.rollbackCommand],
    ["beforeMove.command", beforeMove?.command],
    ...smoke.map((check, index): [string, readonly string[] | undefined] => [
      `smoke[${index}].command`,
      "command" in check ? check.command : undefined,
    ]),
  ];
  return commands.flatMap(([path, command]) => {
    const program = command?.[0];
    return program === undefined ? [] : [[`handover:upgrade.${path}`, program]];
  });
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export function resolvePath(directory: string, file: string): string {
  return isAbsolute(file) ? file : join(directory, file);
}
