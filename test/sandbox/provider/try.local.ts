import * as automation from "@pulumi/pulumi/automation/index.js";
import { mkdtempSync } from "node:fs";
import * as aws from "@pulumi/aws";
import { join } from "node:path";
import { startEmulator } from "./emulator.ts";
const emulator = await startEmulator();
const dir = mkdtempSync("/tmp/pv/w");
const env = { ...emulator.environment, PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_BACKEND_URL: `file://${dir}`, PULUMI_HOME: dir, PULUMI_SKIP_UPDATE_CHECK: "true", PATH: `${join(import.meta.dirname, "../../../sandbox/provider")}:${process.env.PATH}` };
const stack = await automation.LocalWorkspace.createOrSelectStack({ stackName: "t", projectName: "p", program: async () => {
  const vpc = new aws.ec2.Vpc("v", { cidrBlock: "10.0.0.0/16", enableDnsHostnames: true, tags: { Name: "a", "x:y": "1" } });
  return { arn: vpc.arn, z: (await aws.getAvailabilityZones({ state: "available" })).names };
} }, { workDir: dir, envVars: env });
try {
const t = Date.now();
await stack.preview({ onOutput: console.log });
const r = await stack.up({ onOutput: console.log });
console.log(r.outputs, Date.now() - t);
console.log((await stack.refresh({ onOutput: console.log, expectNoChanges: true })).summary.resourceChanges);
console.log((await stack.up({ onOutput: console.log })).summary.resourceChanges);
await stack.destroy({ onOutput: console.log });
} catch (e) { console.log(String(e)); }
await emulator.stop();
