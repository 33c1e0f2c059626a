import { delimiter, join } from "node:path";
import { type Config, ConfigError, isExecutable, programsOf } from "../../stacks/config.ts";

/**
 * The programs of the site's own commands that are named without a folder are on this machine's PATH. Checked before
 * anything is created, and not where the configuration is only read: a program need not be where a plan is reviewed.
 * @throws ConfigError (exit 1)
 */
export function checkPrograms({ upgrade }: Pick<Config, "upgrade">, path = process.env.PATH ?? ""): void {
  const folders = path.split(delimiter);
  const problems = programsOf(upgrade).flatMap(([key, program]) => {
    if (program.includes("/") || folders.some((folder) => isExecutable(join(folder, program)))) return [];
    return [`${key}: there is no program ${program} on the PATH of this machine; install it, or give its path`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
}
