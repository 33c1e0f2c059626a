import { copyFileSync, existsSync, renameSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * For the engine, where a key service or a bucket of AWS has the stack's secrets or its state: as many attempts as the
 * provider makes. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function attemptsOf({ AWS_MAX_ATTEMPTS = "25" }: NodeJS.ProcessEnv): Record<string, string> {
  return { AWS_MAX_ATTEMPTS };
}

/**
 * The variables under which the engine keeps no attributes beside the files of a `file://` backend. It writes them in
 * place: who reads in that moment, or ever after a kill in that moment, is told that the stack's state is `EOF`. Nobody
 * needs them (https://pkg.go.dev/gocloud.dev/blob/fileblob#URLOpener, `metadata=skip`).
 */
export function withoutAttributes({ PULUMI_BACKEND_URL: url }: NodeJS.ProcessEnv): Record<string, string> {
  if (url?.startsWith("file://") !== true || url.includes("metadata=")) return {};
  return { PULUMI_BACKEND_URL: `${url}${url.includes("?") ? "&" : "?"}metadata=skip` };
}

/**
 * Puts back a state that a full disk took from a `file://` backend: the engine leaves an empty file in its place, and the
 * state before that beside it, in which what was in flight is pending. Nothing else leaves an empty one.
 * @throws Error when the disk is still full; nothing was changed
 */
export function restoreState(stack: string, { PULUMI_BACKEND_URL: url = "" }: NodeJS.ProcessEnv): void {
  const [, path] = /^file:\/\/([^?]+)/.exec(url) ?? [];
  if (path === undefined) return;
  const file = join(path.replace(/^~(?=\/|$)/, homedir()), ".pulumi", "stacks", "handover", `${stack}.json`);
  const before = `${file}.bak`;
  if (!existsSync(file) || statSync(file).size > 0 || !existsSync(before)) return;
  copyFileSync(before, `${file}.restored`);
  renameSync(`${file}.restored`, file);
}
