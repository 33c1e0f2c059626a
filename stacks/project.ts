import { existsSync } from "node:fs";
import { dirname, extname, join, parse, relative } from "node:path";

/** The folder of this package: of its programs, its plugin, and the files that they read. */
export const packageDirectory = join(import.meta.dirname, "..");

/** `.ts`, and in the packed package `.js`: there Node strips no types. */
export const programExtension = extname(import.meta.filename);

/** Whether this is a copy that another project has as a package, and not the repository itself. */
export const isPacked = programExtension === ".js";

/**
 * The folder of `Pulumi.yaml`; paths in the configuration are relative to it. As for `pulumi`, it is this folder or the
 * nearest above; from elsewhere this repository is the project.
 */
export const projectDirectory = nearestProject(process.cwd()) ?? (isPacked ? process.cwd() : packageDirectory);

/** The path of a file of this package, for a person in the project's folder. */
export function packagePath(file: string): string {
  return relative(projectDirectory, join(packageDirectory, file));
}

/** What a person types before `handover` in the project's folder. */
export const beforeHandover = isPacked ? "npx " : "./";

/** Whether there is a project. */
export function hasProject(): boolean {
  return existsSync(join(projectDirectory, "Pulumi.yaml"));
}

function nearestProject(directory: string): string | undefined {
  if (existsSync(join(directory, "Pulumi.yaml"))) return directory;
  return directory === parse(directory).root ? undefined : nearestProject(dirname(directory));
}
