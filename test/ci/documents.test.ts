import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parser } from "../../automation/cli/parser.ts";
import { projectDirectory } from "../../stacks/project.ts";
import { isIntentRow, phaseNames } from "../../stacks/runbook.ts";

const read = (file: string) => readFileSync(join(projectDirectory, file), "utf8");
const files = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "docs/operating.md",
  "docs/getting-started.md",
  "docs/evidence.md",
  "docs/servers.md",
  "docs/architecture.md",
  "docs/decisions/README.md",
  "automation/README.md",
  "provider/README.md",
  "sandbox/README.md",
];

/** Commands in shell blocks and in inline code. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline]
    .flatMap((line) =>
      line
        .replace(/\s#.*$/, "")
        .replace(/^eval "\$\((.*)\)"$/, "$1")
        .split(/ && | \| /),
    )
    .map((command) => command.replaceAll("\n", " ").trim());
}

/** Targets of relative links, without those inside of code. */
function linksIn(text: string): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`]+`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^https?:/.test(link));
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
}

const required: Readonly<Record<string, readonly string[]>> = {
  adopt: ["--load-balancer", "www-alb", "--hostname", "www.example.com"],
  approve: ["--digest", "d"],
};

/** A mention leaves the stack out, and gives the alternatives of a place at once. */
function argumentsOf(command: string): string[] {
  const words = command
    .split(/\s+/)
    .slice(1)
    .map((word) => word.split("|")[0] ?? "");
  const needsStack = !["sandbox", "rehearse", "completion", "COMMAND"].includes(words[0] ?? "");
  const given = words.some((word) => word.startsWith("--stack"));
  const needed = words.length > 1 ? [] : (required[words[0] ?? ""] ?? []);
  return [...words, ...(needsStack && !given ? ["--stack", "staging"] : []), ...needed];
}

describe("the documents", () => {
  for (const file of files) {
    const commands = commandsIn(read(file));

    it(`of ${file} show commands that the command line understands`, async () => {
      for (const command of commands.filter((each) => /^(\.\/)?handover [a-z]/.test(each))) {
        const args = argumentsOf(command);
        await assert.doesNotReject(async () => {
          await parser(args, async () => undefined).parseAsync(args, {}, () => undefined);
        }, command);
      }
    });

    it(`of ${file} name targets, scripts and phases that there are`, () => {
      const makefile = read("Makefile");
      const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
      for (const command of commands) {
        const [program, first = "", second = ""] = command.split(" ");
        if (program === "make") assert.match(makefile, new RegExp(`^${first}:`, "m"), command);
        if (program === "npm" && first === "run") assert.ok(scripts[second] !== undefined, command);
        if (/^(\.github|automation|docs|provider|sandbox|stacks|test)\/(?!.*NAME)[\w./-]+\.\w+$/.test(program ?? ""))
          assert.ok(existsSync(join(projectDirectory, program ?? "")), command);
        const [, phase] = /handover:phase:? ([a-z-]+)/.exec(command) ?? [];
        if (phase !== undefined) assert.ok(isIntentRow(phase), command);
      }
    });

    it(`of ${file} link to pages and sections that there are`, () => {
      for (const link of linksIn(read(file))) {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? file : join(dirname(file), path);
        assert.ok(existsSync(join(projectDirectory, target)), link);
        if (anchor !== undefined) assert.ok(anchorsOf(read(target)).includes(anchor), link);
      }
    });
  }

  it("have the runbook's phases in their order, in the README's table", () => {
    const rows = [...read("README.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, phase]) => phase);
    assert.deepEqual(rows, phaseNames);
  });
});
