import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { packageDirectory } from "../../../stacks/project.ts";

describe("./handover in another project", () => {
  let project: string;
  before(() => {
    project = realpathSync(mkdtempSync(join(tmpdir(), "handover-launcher-")));
    writeFileSync(join(project, "Pulumi.yaml"), "name: www\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(join(project, "index.ts"), "export default 1;\n");
    for (const stack of ["one", "two"]) {
      writeFileSync(join(project, `Pulumi.${stack}.yaml`), "config: {}\n");
      mkdirSync(join(project, ".sandbox", stack), { recursive: true });
      writeFileSync(join(project, ".sandbox", stack, "env"), `echo "entered ${stack}" >&2\n`);
    }
    mkdirSync(join(project, "sub"));
    select("organization/www/two");
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  const home = () => join(project, "home");
  function select(stack: string): void {
    const digest = createHash("sha1").update(join(project, "Pulumi.yaml")).digest("hex");
    mkdirSync(join(home(), "workspaces"), { recursive: true });
    writeFileSync(join(home(), "workspaces", `www-${digest}-workspace.json`), JSON.stringify({ stack }, undefined, 4));
  }
  const run = async (args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = project) => {
    const none = { HANDOVER_STACK: "", PULUMI_STACK: "", PULUMI_HOME: home() };
    const launcher = join(packageDirectory, "handover");
    return execa(launcher, args, { cwd, reject: false, env: { PWD: cwd, ...none, ...env } });
  };

  for (const [how, args, env, stack] of [
    ["--stack", ["--stack", "one"], {}, "one"],
    ["--stack=", ["--stack=one"], {}, "one"],
    ["-s", ["-s", "one"], {}, "one"],
    ["HANDOVER_STACK", [], { HANDOVER_STACK: "one", PULUMI_STACK: "two" }, "one"],
    ["PULUMI_STACK", [], { PULUMI_STACK: "one" }, "one"],
    ["`pulumi stack select`", [], {}, "two"],
  ] as const)
    it(`looks for a sandbox's stack there alone, named by ${how}`, async () => {
      const { stderr, exitCode } = await run(["status", ...args], env);
      const told = args.length === 0 ? `stack ${stack}\n` : "";
      assert.ok(stderr.startsWith(`entered ${stack}\n${told}handover: `), stderr);
      assert.match(stderr, /handover:site/);
      assert.equal(exitCode, 1);
    });

  it("finds the project from a folder below", async () => {
    const { stderr } = await run(["status", "-s", "three"], {}, join(project, "sub"));
    assert.match(stderr, /There is no stack "three".* Known stacks: (one, two|two, one)/);
  });

  it("takes no other stack where what was selected has no file here", async () => {
    select("acme/www/production");
    const { stderr, exitCode } = await run(["status"]);
    assert.match(stderr, /^stack acme\/www\/production\nhandover: There is no stack "acme\/www\/production"/);
    assert.equal(exitCode, 1);
  });
});
