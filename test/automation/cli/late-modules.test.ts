import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { projectDirectory } from "../../../stacks/project.ts";

/** Tells at the end which packages a process loaded. */
const watch = `
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    load(url, context, nextLoad) {
      const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
      if (name !== undefined) packages.add(name);
      return nextLoad(url, context);
    },
  });
  process.on("exit", () => console.error("loaded: " + JSON.stringify([...packages])));
`;
const source = (path: string) => pathToFileURL(join(projectDirectory, path)).href;

async function loads(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  const preload = `data:text/javascript,${encodeURIComponent(watch)}`;
  const { stderr } = await execa(process.execPath, ["--import", preload, ...args], {
    cwd: projectDirectory,
    reject: false,
    env,
  });
  return JSON.parse(/^loaded: (.*)$/m.exec(stderr)?.[1] ?? assert.fail(stderr));
}

const main = join(projectDirectory, "automation", "cli", "main.ts");
const heavy = /^(@aws-sdk\/client-|@pulumi\/|typescript$|@npmcli\/)/;

describe("what a command loads", () => {
  it("is neither Pulumi nor a client of AWS, for help", async () => {
    assert.deepEqual(
      (await loads([main, "--help"])).filter((name) => heavy.test(name)),
      [],
    );
  });

  it("is neither the program nor a compiler, to read what a backend has", async () => {
    const backend = mkdtempSync(join(tmpdir(), "handover-"));
    const env = { PULUMI_BACKEND_URL: `file://${backend}`, PULUMI_CONFIG_PASSPHRASE: "x" };
    const loaded = await loads([main, "status", "--stack", "staging"], env);
    rmSync(backend, { recursive: true });
    assert.ok(loaded.includes("@pulumi/pulumi"));
    assert.deepEqual(
      loaded.filter((name) => /^(@pulumi\/aws|typescript|@npmcli\/)/.test(name)),
      [],
    );
  });

  it("is a compiler once a function is to be written down, as for a dynamic provider", async () => {
    const script = `
      await import(${JSON.stringify(source("automation/cli/late-modules.ts"))});
      const { runtime } = await import("@pulumi/pulumi");
      const { text } = await runtime.serializeFunction(() => 42);
      if (!text.includes("42")) throw new Error(text);
      if ((await runtime.computeCodePaths()).size === 0) throw new Error("no paths");
    `;
    const loaded = await loads(["--input-type=module", "--eval", script]);
    assert.ok(loaded.includes("typescript") && loaded.includes("@npmcli/arborist"), loaded.join());
  });
});
