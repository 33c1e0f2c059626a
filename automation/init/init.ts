import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { exitCodes, HandoverError, say } from "../errors.ts";
import { isRecord } from "../ledger/canonical.ts";
import { gitRemark } from "./git.ts";

export interface Asked {
  /** Where the project is made. */
  readonly directory: string;
  /** Name of the Pulumi project. Default: made of the folder's. */
  readonly name?: string;
  /** Name of its first stack. */
  readonly stack: string;
  /** What `package.json` depends on, unless it does so already: a version, or where the package is. */
  readonly dependency: string;
  /** Whether other files may be there. What would be overwritten never may. */
  readonly force: boolean;
}

export interface Project {
  readonly name: string;
  readonly stack: string;
  /** What was written, in the project's folder. */
  readonly files: readonly string[];
  readonly remarks: readonly string[];
  /** Commands to type next. */
  readonly next: readonly string[];
}

/** What npm, git and a forge put into a new folder. */
const usual =
  /^(package(-lock)?\.json|node_modules|handover-.*\.tgz|\.git|\.gitignore|\.gitattributes|\.npmrc|README(\.md)?|LICENSE(\.md|\.txt)?)$/;

/** Files of a project, and the templates of which they are made. */
const templates = (stack: string) => ({
  "index.ts": "index.ts.txt",
  [`Pulumi.${stack}.yaml`]: "stack.yaml",
  ".github/workflows/upgrade-plan.yml": "github/upgrade-plan.yml",
  ".github/workflows/upgrade.yml": "github/upgrade.yml",
  ".gitlab-ci.yml": "gitlab-ci.yml",
});

/**
 * Makes a project of a team's own that depends on Handover. It overwrites nothing; `package.json` and `.gitignore` get
 * what they lack.
 * @throws HandoverError (exit 1); nothing was written
 */
export async function init({ directory, stack, dependency, force, ...asked }: Asked): Promise<Project> {
  const name = asked.name ?? nameOf(directory);
  const problems = [...nameProblems(name, asked.name === undefined), ...stackProblems(stack)];
  if (problems.length > 0) throw refusal(problems);
  const texts: Record<string, string> = {
    "Pulumi.yaml": `name: ${JSON.stringify(name)}\n${read("Pulumi.yaml")}`,
  };
  for (const [file, template] of Object.entries(templates(stack)))
    texts[file] = read(template).replaceAll(/\bproduction\b/g, stack);
  const objections = objectionsOf(directory, Object.keys(texts), force);
  if (objections.length > 0) throw refusal(objections);
  const all = {
    ...texts,
    ".gitignore": withLines(textOf(join(directory, ".gitignore")), read("gitignore")),
    "package.json": packageJson(textOf(join(directory, "package.json")), dependency),
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  const installed = existsSync(join(directory, "node_modules", "handover"));
  return {
    name,
    stack,
    files: Object.keys(all),
    remarks: await gitRemark(directory),
    next: [
      ...(installed ? [] : ["npm install"]),
      "npx handover rehearse",
      `npx handover doctor --stack ${stack}`,
      `npx handover upgrade --stack ${stack}`,
    ],
  };
}

/** A project's name of the letters that Pulumi allows: https://www.pulumi.com/docs/iac/concepts/projects/ */
function nameOf(directory: string): string {
  return basename(directory)
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 100);
}

function nameProblems(name: string, fromFolder: boolean): string[] {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) return [];
  return fromFolder
    ? ["The folder's name has no letters for a project's. Give one, for example: handover init --name www"]
    : [`--name: "${name}" is no name of a project. Take letters, digits, -, _ and ., for example: --name www`];
}

function stackProblems(stack: string): string[] {
  // One that begins with a digit would be a number in the workflows.
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(stack))
    return [
      `--stack: "${stack}" is no name of a stack. Take a letter, then letters, digits, -, _ and ., for example: --stack production`,
    ];
  const [own] = /^(sandbox|rehearsal)/.exec(stack) ?? [];
  if (own === undefined) return [];
  return [`--stack: names with ${own} are for the sandbox's own. Take another, for example: --stack production`];
}

/** What stands against a project in this folder. */
function objectionsOf(directory: string, files: readonly string[], force: boolean): string[] {
  const overwritten = files.filter((file) => existsSync(join(directory, file)));
  if (overwritten.length > 0)
    return [
      `${overwritten.join(", ")} would be overwritten. Move ${overwritten.length > 1 ? "them" : "it"} away, or choose another folder`,
    ];
  const others = readdirSync(directory).filter((file) => !usual.test(file));
  if (others.length === 0 || force) return packageProblems(directory);
  const shown = others.slice(0, 10).join(", ") + (others.length > 10 ? ` and ${others.length - 10} more` : "");
  return [`The folder is not empty: ${shown}. Choose an empty one, or give --force: it leaves them as they are`];
}

function packageProblems(directory: string): string[] {
  const text = textOf(join(directory, "package.json"));
  try {
    if (text === undefined || isRecord(JSON.parse(text))) return [];
  } catch {
    // The same as of one that is something else.
  }
  return ["package.json: is no JSON object; mend it, or remove it"];
}

/** Keeps what is there. The program is an ES module, and in a new project nothing else has a say in that. */
function packageJson(text: string | undefined, dependency: string): string {
  const before = text === undefined ? { private: true } : (JSON.parse(text) as Record<string, unknown>);
  const dependencies = isRecord(before.dependencies) ? before.dependencies : {};
  const isThere =
    "handover" in dependencies || (isRecord(before.devDependencies) && "handover" in before.devDependencies);
  const after = {
    ...before,
    type: "module",
    ...(!isThere && { dependencies: { ...dependencies, handover: dependency } }),
  };
  return `${JSON.stringify(after, undefined, 2)}\n`;
}

function withLines(text: string | undefined, lines: string): string {
  if (text === undefined) return lines;
  const there = text.split(/\r?\n/);
  const missing = lines.split("\n").filter((line) => line !== "" && !there.includes(line));
  return [text.replace(/\n?$/, "\n"), ...missing.map((line) => `${line}\n`)].join("");
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function read(template: string): string {
  return readFileSync(join(import.meta.dirname, "project", template), "utf8");
}

function refusal(problems: readonly string[]): HandoverError {
  const happened = problems.join("\n");
  return new HandoverError("no-new-project", exitCodes.usage, say({ happened, state: "Nothing was written" }));
}
