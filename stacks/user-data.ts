import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { ConfigError, type GenerationConfig, resolvePath, type SiteConfig } from "./config.ts";
import type { LastOutputs } from "./outputs.ts";

/** Path of the servers' inputs, in the format of a systemd EnvironmentFile. */
const inputsPath = "/etc/handover/inputs.env";

/** EC2 takes 16 KB before encoding: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
const limitBytes = 16_384;

/**
 * The user data of a generation's servers: a cloud-config-archive
 * (https://docs.cloud-init.io/en/latest/explanation/format.html) with the inputs as a file and the user's own file
 * unchanged. Changing it replaces servers, so inputs are sorted and nothing of the run is in it.
 * @throws ConfigError when it is larger than EC2 accepts
 */
export function userData(generation: GenerationConfig, site: SiteConfig, projectDirectory: string): string {
  const inputs = { ...generation.inputs, GENERATION: generation.name, SITE: site.hostname, PORT: String(site.port) };
  const file = { path: inputsPath, permissions: "0600", content: environmentFile(inputs) };
  const merge = [
    { name: "list", settings: ["append"] },
    { name: "dict", settings: ["no_replace", "recurse_list"] },
  ];
  const parts = [
    { type: "text/cloud-config", content: `#cloud-config\n${stringify({ merge_how: merge, write_files: [file] })}` },
    ...(generation.userDataFile === undefined
      ? []
      : [{ content: readFileSync(resolvePath(projectDirectory, generation.userDataFile), "utf8") }]),
  ];
  const text = `#cloud-config-archive\n${stringify(parts, { lineWidth: 0 })}`;
  if (Buffer.byteLength(text) > limitBytes) {
    throw new ConfigError([
      `handover:generations.${generation.name}: inputs and userDataFile make ${Buffer.byteLength(text)} bytes of user data, and EC2 takes ${limitBytes}; let the server fetch the larger part itself`,
    ]);
  }
  return text;
}

/** The site as a generation's servers were told of it: a new host name is for generations that are launched after it. */
export function siteAsLaunched(site: SiteConfig, last: LastOutputs | undefined, generation: string): SiteConfig {
  const launched = last?.definitions[generation];
  if (last === undefined || launched === undefined) return site;
  return { ...site, hostname: launched.hostname ?? last.outputs.hostname };
}

/** A digest of each input. */
export function inputDigests(inputs: GenerationConfig["inputs"]): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, userDataDigest(String(value))]));
}

export function userDataDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function environmentFile(inputs: Readonly<Record<string, unknown>>): string {
  return (
    Object.entries(inputs)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      // A newline is kept inside the quotes.
      .map(([name, value]) => `${name}="${String(value).replace(/[\\"$`]/g, "\\$&")}"\n`)
      .join("")
  );
}
