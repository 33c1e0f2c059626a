import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
} from "@aws-sdk/client-ec2";
import { execa } from "execa";
import type { Finding } from "../../automation/doctor/finding.ts";
import { startService, stopProcess } from "../../sandbox/processes.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { assertDocuments } from "../automation/documents/validate.ts";
import { cloudForTests, type TestCloud } from "./support.ts";

/** Starts the plugin whose account is compared with the driver's. @returns its process, and the port that it took */
async function startPlugin(directory: string, env: NodeJS.ProcessEnv): Promise<[ChildProcess, string]> {
  const args = [join(projectDirectory, "provider", "main.ts"), "--port", "0"];
  const logFile = join(directory, "provider.log");
  const service = await startService("provider", {
    command: process.execPath,
    args,
    logFile,
    env: { ...process.env, ...env },
  });
  return [service, /^\d+$/m.exec(readFileSync(logFile, "utf8"))?.[0] ?? ""];
}

describe("doctor against the sandbox's cloud", () => {
  let cloud: TestCloud;
  let backend: string;
  let plugin: ChildProcess;
  let port: string;

  before(async () => {
    backend = mkdtempSync(join(tmpdir(), "handover-backend-"));
    cloud = await cloudForTests({ images: [{ imageId: "ami-0a1b2c3d4e5f60001", architecture: "x86_64" }] });
    [plugin, port] = await startPlugin(backend, access());
  });
  after(async () => {
    await stopProcess(plugin.pid);
    await cloud.stop();
    rmSync(backend, { recursive: true });
  });

  const access = () => ({
    AWS_ENDPOINT_URL: cloud.url,
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
  });

  async function doctor(env: NodeJS.ProcessEnv) {
    const args = ["doctor", "--stack", "staging", "--json"];
    const { stdout, exitCode } = await execa(
      process.execPath,
      [join(projectDirectory, "automation", "cli", "main.ts"), ...args],
      {
        reject: false,
        env: {
          ...access(),
          PULUMI_BACKEND_URL: `file://${backend}`,
          PULUMI_DEBUG_PROVIDERS: `aws:${port}`,
          ...env,
        },
      },
    );
    assertDocuments(args, stdout);
    const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: Finding[] };
    return { exitCode, healthy, results: Object.fromEntries(checks.map((each) => [each.check, each.result])) };
  }

  it("finds all in order before a first deployment, and creates nothing", async () => {
    const { exitCode, healthy, results } = await doctor({});
    assert.deepEqual([exitCode, healthy], [0, true], JSON.stringify(results));
    for (const check of ["engine", "backend", "credentials", "clock", "account", "image", "permissions", "site"])
      assert.equal(results[check], "ok", check);
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({}));
    const { LaunchTemplates } = await cloud.ec2.send(new DescribeLaunchTemplatesCommand({}));
    const { Addresses } = await cloud.ec2.send(new DescribeAddressesCommand({}));
    assert.deepEqual([Reservations, LaunchTemplates, Addresses], [[], [], []]);
  });

  it("says so when AWS does not answer and the backend is not there, and looks at the rest", async () => {
    const { exitCode, healthy, results } = await doctor({
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      PULUMI_BACKEND_URL: `file://${backend}/nowhere`,
    });
    assert.deepEqual([exitCode, healthy], [1, false]);
    assert.deepEqual(
      [results.configuration, results.credentials, results.clock, results.backend, results.AWS],
      ["ok", "problem", "skipped", "problem", "skipped"],
    );
  });
});
