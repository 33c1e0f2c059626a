import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { packageDirectory } from "../../stacks/project.ts";
import { type Finding, ok, problem, reasonOf } from "./finding.ts";

const manifest = JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8")) as {
  engines: { node: string };
  dependencies: Record<string, string>;
};

/** Types are stripped by Node itself, so an older one cannot run the program at all. */
export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = numbers(version);
  const [leastMajor = 0, leastMinor = 0] = numbers(manifest.engines.node.replace(">=", ""));
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return ok("node", version);
  return problem(
    "node",
    `${version} is too old; install ${leastMajor}.${leastMinor} or later (https://nodejs.org), or start ./handover, which brings one`,
  );
}

export async function checkEngine(): Promise<Finding> {
  const hint = "install it: https://www.pulumi.com/docs/install/";
  try {
    const { stdout } = await execa("pulumi", ["version"], { env: { PULUMI_SKIP_UPDATE_CHECK: "true" } });
    const version = stdout.trim();
    if (/^v?3\./.test(version)) return ok("engine", `pulumi ${version}; ${await planning()}`);
    return problem("engine", `pulumi ${version} is not version 3; ${hint}`);
  } catch (error) {
    return problem("engine", `pulumi does not start (${reasonOf(error)}); ${hint}`);
  }
}

/** Who holds an update to its plan. What is asked for here is a command's help, which fails with an option that it does not know. */
async function planning(): Promise<string> {
  const options = [
    ["preview", "--save-plan", "plan.json", "--help"],
    ["up", "--plan", "plan.json", "--help"],
  ];
  const known = await Promise.all(options.map((args) => execa("pulumi", args, { reject: false })));
  return known.every(({ exitCode }) => exitCode === 0)
    ? "it binds each update to its plan"
    : "it has no update plans, so Handover compares each operation with the plan as it begins, and stops the engine at one that was not planned";
}

/**
 * The engine takes a plugin that it is told to attach to, then one on PATH, then one of its own folder:
 * https://www.pulumi.com/docs/iac/using-pulumi/extending-pulumi/debugging-provider-packages/
 */
export async function checkPlugin(env: NodeJS.ProcessEnv = process.env): Promise<Finding> {
  const attached = /(?:^|,)aws:(\d+)/.exec(env.PULUMI_DEBUG_PROVIDERS ?? "")?.[1];
  if (attached !== undefined) return ok("plugin", `another than the official one: attached on port ${attached}`);
  const onPath = findOnPath("pulumi-resource-aws", env.PATH);
  if (onPath !== undefined) return ok("plugin", `another than the official one: ${onPath}`);
  const wanted = manifest.dependencies["@pulumi/aws"] ?? "";
  try {
    const { stdout } = await execa("pulumi", ["plugin", "ls", "--json"], { env: { PULUMI_SKIP_UPDATE_CHECK: "true" } });
    const installed = JSON.parse(stdout) as { name: string; kind: string; version?: string }[];
    const versions = installed.flatMap(({ name, kind, version }) =>
      name === "aws" && kind === "resource" && version !== undefined ? [version] : [],
    );
    if (versions.includes(wanted)) return ok("plugin", `official, ${wanted}`);
    const others = versions.length === 0 ? "" : ` (there is ${versions.join(", ")})`;
    return problem(
      "plugin",
      `aws ${wanted} is not installed${others}; install it: pulumi plugin install resource aws v${wanted}`,
    );
  } catch (error) {
    return problem("plugin", `pulumi does not list its plugins (${reasonOf(error)}); see the engine's line`);
  }
}

function findOnPath(program: string, path = ""): string | undefined {
  return path
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function numbers(version: string): number[] {
  return version.split(".").map(Number);
}
