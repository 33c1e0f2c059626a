import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import { commands } from "../../../automation/cli/commands/index.ts";
import { isAttended } from "../../../automation/cli/confirm.ts";
import { parser } from "../../../automation/cli/parser.ts";
import { isColourful, plain } from "../../../automation/cli/terminal.ts";
import { type CommandName, HandoverError, toType } from "../../../automation/errors.ts";
import { projectDirectory } from "../../../stacks/project.ts";
import { assertDocuments } from "../documents/validate.ts";

/** What the command line understands: the command and its arguments, without doing anything. */
async function understand(...args: string[]) {
  let understood: unknown;
  await parser(args, async (command, given) => {
    understood = { ...given, command: command.command };
  }).parseAsync([...args], {}, () => undefined);
  return understood;
}

async function refusal(...args: string[]): Promise<string> {
  const error = await understand(...args).then(
    () => assert.fail(`understood: ${args.join(" ")}`),
    (thrown) => thrown,
  );
  assert.ok(error instanceof HandoverError, String(error));
  assert.deepEqual([error.code, error.exitCode], ["usage", 1]);
  return error.message;
}

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, [join(projectDirectory, "automation", "cli", "main.ts"), ...args], { reject: false, env });

describe("the command line", () => {
  for (const { command, examples } of commands) {
    it(`has examples of ${command}, and understands them`, async () => {
      assert.ok(examples.length > 0);
      for (const [example] of examples) await understand(...(example.split(/ [|>] /)[0] ?? "").split(" "));
    });
  }

  it("understands every command that a message tells to type", async () => {
    const options: Readonly<Record<CommandName, readonly string[]>> = {
      upgrade: [],
      plan: [],
      status: [],
      resume: ["--migration", "again"],
      rollback: ["--accept-schema"],
      approve: ["--digest", "3f9a"],
      abort: [],
      history: [],
      report: [],
      doctor: [],
    };
    for (const [command, more] of Object.entries(options) as [CommandName, string[]][])
      await understand(
        ...toType(command, "staging", ...more)
          .split(" ")
          .slice(1),
      );
  });

  it("says which command was probably meant", async () => {
    assert.match(
      await refusal("upgrad", "--stack", "staging"),
      /no command "upgrad"; did you mean `handover upgrade`\?/,
    );
    assert.match(
      await refusal("--json", "--stack", "staging", "resum"),
      /no command "resum"; did you mean `handover resume`/,
    );
    assert.match(await refusal("launch"), /no command "launch"; `handover --help` lists them/);
  });

  it("says which option was probably meant, also when a required one is missing", async () => {
    assert.match(await refusal("status", "--stak", "staging"), /no option --stak; did you mean --stack\?/);
  });

  it("names the stacks that there are", async () => {
    assert.match(await refusal("status"), /Known stacks: .*staging/);
    const { stderr, exitCode } = await run(["status", "--stack", "stagin"]);
    assert.match(stderr, /no stack "stagin"; did you mean staging\?/);
    assert.equal(exitCode, 1);
  });

  it("knows the stack by -s, and by HANDOVER_STACK and then PULUMI_STACK, and says which it took from there", async () => {
    assert.match(await refusal("-s", "staging", "statu"), /no command "statu"/);
    for (const [args, env, stack] of [
      [["-s", "one"], { HANDOVER_STACK: "two" }, "one"],
      [[], { HANDOVER_STACK: "two", PULUMI_STACK: "three" }, "two"],
      [[], { HANDOVER_STACK: "", PULUMI_STACK: "three" }, "three"],
    ] as const) {
      const { stderr, exitCode } = await run(["status", ...args], env);
      const told = args.length === 0 ? `stack ${stack}\n` : "";
      assert.ok(stderr.startsWith(`${told}handover: There is no stack "${stack}"`), stderr);
      assert.equal(exitCode, 1);
    }
  });

  it("groups the commands by task, and leaves none out", async () => {
    const { stdout } = await run(["--help"]);
    assert.match(stdout, /^Begin:\n {2}handover rehearse .*^Upgrade:\n.*^When a run stops:\n {2}handover resume/ms);
    for (const { command } of commands)
      assert.match(stdout, new RegExp(`^ {2}handover ${command.split(" ")[0]} `, "m"), command);
    assert.match(stdout, /^ {2}handover completion /m);
  });

  it("asks before an upgrade, and takes nothing but yes for it", async () => {
    const module = JSON.stringify(join(projectDirectory, "automation", "cli", "confirm.ts"));
    const code = `const { confirm } = await import(${module}); console.log(await confirm("Do this?", AbortSignal.timeout(60_000)))`;
    for (const [input, answer] of [
      ["y\n", "true"],
      ["Yes\n", "true"],
      ["no\n", "false"],
      ["\n", "false"],
      ["", "false"],
    ]) {
      const { stdout, stderr } = await execa(process.execPath, ["--input-type=module", "-e", code], { input });
      assert.equal(stdout, answer, input);
      assert.match(stderr, /Do this\? \[y\/N\]/);
    }
    assert.equal(isAttended({ CI: "true" }), false);
  });

  it("says its version, and has -h for --help", async () => {
    assert.match((await run(["--version"])).stdout, /^\d+\.\d+\.\d+$/);
    assert.equal((await run(["plan", "-h"])).stdout, (await run(["plan", "--help"])).stdout);
  });

  it("refuses what is no number, what is given twice, and a phase that does not exist", async () => {
    assert.match(await refusal("rehearse", "--rate", "fast"), /--rate: must be a number/);
    assert.match(await refusal("status", "--stack", "a", "--stack", "b"), /--stack: was given twice/);
    assert.match(await refusal("upgrade", "--stack", "a", "--pause-before", "lunch"), /move-addresses/);
  });

  for (const args of [
    [],
    ["--help"],
    ["--version"],
    ["upgrade", "--help"],
    ["completion"],
    ["upgrad"],
    ["status"],
    ["upgrade", "--stack", "nowhere"],
    ["history", "--stack", "staging", "--verify", "--verfy"],
    ["sandbox", "status", "--name", "never-started"],
    ["sandbox", "env", "--name", "never-started"],
  ]) {
    it(`prints one JSON document, and no control character, for: handover ${args.join(" ")} --json`, async () => {
      const { stdout, stderr, exitCode } = await run([...args, "--json"]);
      assert.equal(stdout.split("\n").length, 1);
      assertDocuments(args, stdout);
      assert.deepEqual([stderr, "error" in JSON.parse(stdout)], ["", exitCode !== 0]);
    });
  }

  it("completes commands, options and the names of stacks", async () => {
    const words = async (...line: string[]) =>
      (await run(["--get-yargs-completions", "handover", ...line])).stdout.split("\n");
    assert.ok((await words("")).includes("upgrade"));
    assert.ok((await words("upgrade", "--")).includes("--pause-before"));
    assert.ok((await words("upgrade", "--stack", "")).includes("production"));
    assert.ok((await words("sandbox", "")).includes("fault"));
  });

  it("has a completion script that finds it from any folder", async () => {
    const { stdout } = await run(["completion"]);
    assert.ok(stdout.includes(`${join(projectDirectory, "handover")} --get-yargs-completions`), stdout);
  });
});

describe("what is printed", () => {
  const red = "\u001b[31mred\u001b[0m\r";

  it("has no control characters when it is piped, when NO_COLOR is set, and on a dumb terminal", () => {
    assert.equal(plain(red, { isTTY: false }), "red");
    assert.equal(isColourful({ isTTY: true }, { NO_COLOR: "1" }), false);
    assert.equal(isColourful({ isTTY: true }, { TERM: "dumb" }), false);
  });

  it("keeps them on a terminal", () => {
    assert.equal(isColourful({ isTTY: true }, { NO_COLOR: "", TERM: "xterm" }), true);
  });

  it("goes on when nobody reads what it says any more", async () => {
    const child = run(["--help"]);
    child.stdout.destroy();
    child.stderr.destroy();
    assert.equal((await child).exitCode, 0);
  });
});
