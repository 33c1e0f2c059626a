import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
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
export function restoreState(
  stack: string,
  project: string,
  { PULUMI_BACKEND_URL: url = "" }: NodeJS.ProcessEnv,
): void {
  const [, path] = /^file:\/\/([^?]+)/.exec(url) ?? [];
  if (path === undefined) return;
  const file = join(path.replace(/^~(?=\/|$)/, homedir()), ".pulumi", "stacks", project, `${stack}.json`);
  const before = `${file}.bak`;
  if (!existsSync(file) || statSync(file).size > 0 || !existsSync(before)) return;
  copyFileSync(before, `${file}.restored`);
  renameSync(`${file}.restored`, file);
}

/** A backend in a folder that is thrown away: its state is written once at the end of an update, and without backups. */
export function scratchBackend(directory: string): Record<string, string> {
  const state = join(directory, "state");
  mkdirSync(state, { mode: 0o700 });
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  const hasPassphrase = (PULUMI_CONFIG_PASSPHRASE ?? PULUMI_CONFIG_PASSPHRASE_FILE) !== undefined;
  return {
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_EXPERIMENTAL: "true",
    PULUMI_SKIP_CHECKPOINTS: "true",
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // For a stack whose secrets are not a passphrase's: known to nobody, and gone with this process.
    ...(!hasPassphrase && { PULUMI_CONFIG_PASSPHRASE: randomBytes(32).toString("base64") }),
  };
}

/** The backend, for a person. */
export function backendName({ PULUMI_BACKEND_URL }: NodeJS.ProcessEnv = process.env): string {
  // A backend's URL may hold a password.
  const url = PULUMI_BACKEND_URL?.replace(/\/\/[^@/]*@/, "//");
  return url ? `backend ${url}` : "the backend that Pulumi.yaml or pulumi login names";
}
