import assert from "node:assert/strict";
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectDirectory } from "../../stacks/project.ts";

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[];
}

const directory = join(projectDirectory, ".github", "workflows");
const textOf = (file: string) => readFileSync(join(directory, file), "utf8");
const workflowOf = (file: string) => parse(textOf(file)) as Workflow;
const writes = (job: Job | undefined) =>
  Object.entries(job?.permissions ?? {}).flatMap(([scope, access]) => (access === "write" ? [scope] : []));

describe("the workflows", () => {
  for (const file of readdirSync(directory)) {
    it(`of ${file} pin each action by its commit, and say its version`, () => {
      for (const [, action, rest] of textOf(file).matchAll(/uses: (\S+)(.*)/g))
        assert.match(`${action}${rest}`, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    it(`of ${file} give no permission but to the job that needs it, and end in time`, () => {
      const { permissions, jobs } = workflowOf(file);
      assert.deepEqual(permissions, {});
      for (const job of Object.values(jobs)) assert.ok(job.permissions !== undefined && job["timeout-minutes"]);
    });

    it(`of ${file} put nothing that others write into a script`, () => {
      for (const { steps } of Object.values(workflowOf(file).jobs))
        for (const { run = "" } of steps) assert.doesNotMatch(run, /\$\{\{/);
    });
  }

  for (const file of ["upgrade.yml", "upgrade-plan.yml"])
    it(`of ${file} are, in a project of one's own, the same actions at the same commits`, () => {
      const project = join(projectDirectory, "automation", "init", "project", "github", file);
      const actions = (text: string) => [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action).sort();
      const text = readFileSync(project, "utf8");
      assert.deepEqual(actions(text), actions(textOf(file)));
      for (const [, script = ""] of text.matchAll(/run: node_modules\/handover\/dist\/(\S+)/g))
        accessSync(join(projectDirectory, script), constants.X_OK);
    });

  it("run one upgrade of a stack at a time, and cancel none for a newer one", () => {
    const { concurrency, jobs } = workflowOf("upgrade.yml");
    assert.match(concurrency.group, /inputs\.stack/);
    assert.equal(concurrency["cancel-in-progress"], false);
    assert.match(jobs.upgrade?.environment ?? "", /inputs\.stack/);
  });

  it("let the pull request's code write nothing, and what writes run none of it", () => {
    const { plan, comment } = workflowOf("upgrade-plan.yml").jobs;
    assert.deepEqual([writes(plan), writes(comment)], [["id-token"], ["pull-requests"]]);
    assert.ok(!comment?.steps.some(({ uses }) => uses?.startsWith("actions/checkout")));
  });

  it("run the steps that sandbox/ci.sh runs against a sandbox", () => {
    const local = readFileSync(join(projectDirectory, "sandbox", "ci.sh"), "utf8");
    for (const file of ["upgrade-plan.yml", "upgrade.yml"]) {
      const scripts = [...textOf(file).matchAll(/run: (tools\/ci\/\S+)/g)].map(([, script]) => script ?? "");
      assert.equal(scripts.length, 1);
      for (const script of scripts) {
        assert.ok(local.includes(script), script);
        accessSync(join(projectDirectory, script), constants.X_OK);
      }
    }
  });
});
