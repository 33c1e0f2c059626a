import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import "./resolve.mjs";
import { HandoverError } from "../automation/errors.ts";
import { projectDirectory } from "../stacks/project.ts";
import type { Slot } from "./slot.ts";

/**
 * The sandbox's folder: state of the Pulumi backend, logs, and what runs. It is emptied for a new sandbox, so a name never
 * leads elsewhere. https://www.pulumi.com/docs/iac/concepts/stacks/#stack-naming
 * @throws HandoverError (exit 1) for what is no name of a stack
 */
export function sandboxDirectory(name: string): string {
  if (!/^\w[\w.-]{0,99}$/.test(name)) {
    const message = `--name: "${name}" is no name of a stack. Nothing was changed. Take letters, digits, hyphens, underscores and dots: --name sandbox`;
    throw new HandoverError("usage", 1, message);
  }
  return join(projectDirectory, ".sandbox", name);
}

/**
 * The variables that `pulumi`, `aws` and any AWS SDK need to work against the sandbox, and the site's own commands to reach its
 * database. Handover itself needs no more than they do.
 * @param providerDirectory the folder of the plugin that stays up, to which the engine attaches
 */
export function environment(
  name: string,
  region: string,
  slot: Slot,
  providerDirectory: string,
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: slot.cloud.url,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_SESSION_TOKEN: "",
    AWS_PROFILE: "",
    AWS_EC2_METADATA_DISABLED: "true",
    DATABASE_URL: slot.database.url,
    PULUMI_BACKEND_URL: `file://${join(sandboxDirectory(name), "state")}`,
    // The sandbox's own stack has a key of KMS; this is for others that a person creates beside it.
    PULUMI_CONFIG_PASSPHRASE: "sandbox",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DEBUG_PROVIDERS: `aws:${slot.provider.port}`,
    // The load balancer's name is known to programs on Node alone; `sandbox status` has the addresses of its nodes.
    NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${pathToFileURL(join(import.meta.dirname, "resolve.mjs"))}`]
      .filter((option) => option !== undefined && option !== "")
      .join(" "),
    PATH: [providerDirectory, process.env.PATH ?? ""].join(delimiter),
  };
}

/** `export` lines for a POSIX shell. Empty variables are unset: an empty profile is not the same as none. */
export function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => (value === "" ? `unset ${name}\n` : `export ${name}='${value.replaceAll("'", "'\\''")}'\n`))
    .join("");
}

/** Makes this process one that works against the sandbox. */
export function enter(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === "") delete process.env[name];
    else process.env[name] = value;
  }
}
