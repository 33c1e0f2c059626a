import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isPacked, packageDirectory } from "../../stacks/project.ts";
import { exitCodes, HandoverError } from "../errors.ts";
import { isRecord } from "../ledger/canonical.ts";

/**
 * What a project has to depend on to get this very package: the version of a registry, which `npm update` raises and
 * `package-lock.json` pins, or else where npm got it from.
 * @throws HandoverError (exit 1) in the repository itself: there is no package yet
 */
export function dependencyOf(directory: string, version: string): string {
  if (!isPacked)
    throw new HandoverError(
      "not-a-package",
      exitCodes.usage,
      `This is Handover's own repository, and a project depends on the package that is made of it. Nothing was written. Make it with \`npm pack\` here, and in the new project's folder: npm install PATH/handover-${version}.tgz && npx handover init`,
    );
  const root = join(packageDirectory, "..", "..", "..");
  const from = resolvedIn(join(root, "node_modules", ".package-lock.json"));
  if (from === undefined || /\/-\/handover-[^/]+\.tgz$/.test(from)) return `^${version}`;
  if (!from.startsWith("file:")) return from;
  const path = relative(directory, resolve(root, from.slice("file:".length)));
  return `file:${path.startsWith(".") ? path : `./${path}`}`;
}

/** Where npm says that it got the package. https://docs.npmjs.com/cli/configuring-npm/package-lock-json#hidden-lockfiles */
function resolvedIn(lockFile: string): string | undefined {
  if (!existsSync(lockFile)) return undefined;
  const lock = JSON.parse(readFileSync(lockFile, "utf8")) as { packages?: Record<string, unknown> };
  const entry = lock.packages?.["node_modules/handover"];
  return isRecord(entry) && typeof entry.resolved === "string" ? entry.resolved : undefined;
}
