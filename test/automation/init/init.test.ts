import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { dependencyOf } from "../../../automation/init/dependency.ts";
import { type Asked, init } from "../../../automation/init/init.ts";
import { parseConfig } from "../../../stacks/config.ts";

describe("a project of one's own", () => {
  let directory: string;
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), "handover-init-")), "My Shop");
    mkdirSync(directory);
  });
  afterEach(() => rmSync(join(directory, ".."), { recursive: true, force: true }));

  const make = (asked: Partial<Asked> = {}) =>
    init({ directory, stack: "production", dependency: "^1.2.3", force: false, ...asked });
  const put = (file: string, text = "") => writeFileSync(join(directory, file), text);
  const read = (file: string) => readFileSync(join(directory, file), "utf8");
  const json = (file: string) => JSON.parse(read(file)) as Record<string, unknown>;
  const files = () => readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();

  it("is named after its folder, and depends on the package", async () => {
    const { name, files: written, next } = await make();
    assert.equal(name, "My-Shop");
    assert.deepEqual(parse(read("Pulumi.yaml")), {
      name: "My-Shop",
      description: "A site that Handover upgrades",
      runtime: "nodejs",
      main: "index.ts",
    });
    assert.deepEqual(json("package.json"), { private: true, type: "module", dependencies: { handover: "^1.2.3" } });
    assert.deepEqual(read("index.ts").trim().split("\n"), [
      'import { program } from "handover";',
      "",
      "export default program;",
    ]);
    for (const file of written) assert.notEqual(read(file), "", file);
    assert.equal(next[0], "npm install");
  });

  it("has a name that is a text, whatever the folder is called", async () => {
    const year = join(directory, "2026");
    mkdirSync(year);
    await make({ directory: year });
    assert.equal((parse(readFileSync(join(year, "Pulumi.yaml"), "utf8")) as { name: unknown }).name, "2026");
  });

  it("has a stack's file that the program takes, and workflows for it", async () => {
    await make({ stack: "staging", name: "shop" });
    const { config } = parse(read("Pulumi.staging.yaml")) as { config: Record<string, unknown> };
    const keys = Object.entries(config).filter(([key]) => key.startsWith("handover:"));
    assert.ok(parseConfig(Object.fromEntries(keys.map(([key, value]) => [key.slice(9), value])), directory));
    for (const file of [".github/workflows/upgrade.yml", ".github/workflows/upgrade-plan.yml", ".gitlab-ci.yml"]) {
      assert.match(read(file), /\bstaging\b/);
      assert.doesNotMatch(read(file), /\bproduction\b/);
      assert.ok(parse(read(file)));
    }
  });

  it("keeps what npm and a forge have put into the folder", async () => {
    mkdirSync(join(directory, "node_modules", "handover"), { recursive: true });
    put("package-lock.json", "{}");
    put(
      "package.json",
      '{ "name": "shop", "type": "commonjs", "dependencies": { "handover": "file:../handover-0.1.0.tgz" } }',
    );
    put("README.md", "Ours.");
    put(".gitignore", "dist/\nnode_modules/");
    const { next } = await make();
    assert.deepEqual(json("package.json"), {
      name: "shop",
      type: "module",
      dependencies: { handover: "file:../handover-0.1.0.tgz" },
    });
    assert.equal(read("README.md"), "Ours.");
    assert.match(read(".gitignore"), /^dist\/\nnode_modules\/\n\.sandbox\/\n/);
    assert.equal(next[0], "npx handover rehearse");
  });

  const refusals: [what: string, before: () => void, asked: Partial<Asked>, message: RegExp][] = [
    ["a folder that is not empty", () => put("notes.txt"), {}, /The folder is not empty: notes\.txt\. .*--force/],
    [
      "files that would be overwritten",
      () => put("index.ts", "mine"),
      { force: true },
      /^index\.ts would be overwritten/,
    ],
    ["a package.json that is none", () => put("package.json", "[]"), {}, /^package\.json: is no JSON object/],
    ["a folder whose name has no letters", () => {}, { name: undefined, directory: "/" }, /handover init --name www/],
    ["a name that Pulumi does not take", () => {}, { name: "a/b" }, /^--name: "a\/b" is no name of a project/],
    ["a stack's name that leads elsewhere", () => {}, { stack: "../x" }, /^--stack: "\.\.\/x" is no name of a stack/],
    ["a stack's name of the sandbox", () => {}, { stack: "sandbox-2" }, /^--stack: names with sandbox are/],
  ];
  for (const [what, before, asked, message] of refusals)
    it(`refuses ${what}, and writes nothing`, async () => {
      before();
      const there = files();
      await assert.rejects(make(asked), (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        assert.match(error.message, /Nothing was written$/);
        return error.code === "no-new-project";
      });
      assert.deepEqual(files(), there);
    });

  it("leaves other files be with --force", async () => {
    put("notes.txt", "mine");
    await make({ force: true });
    assert.equal(read("notes.txt"), "mine");
  });

  it("is not made by the repository itself, of which there is no package", () => {
    assert.throws(() => dependencyOf(directory, "0.1.0"), /`npm pack` here.*npx handover init/);
  });

  it("says where the workflows are not read", async () => {
    const path = process.env.PATH;
    try {
      process.env.PATH = directory;
      const { remarks } = await make();
      assert.match(remarks.join(), /git is not installed/);
    } finally {
      process.env.PATH = path;
    }
  });
});
