import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { mergeKeys } from "../../../automation/engine/stack-file.ts";
import { readByEngine } from "../../../stacks/config/engine-yaml.ts";
import { readStackYaml } from "../../../stacks/config/stack-yaml.ts";

/** An input as it is written, and what is said of it. */
const refusedInputs: [written: string, problem: RegExp][] = [
  [
    "2024-01-01",
    /: 2024-01-01 is no text without quotes; write "2024-01-01"; servers .* keep "2024-01-01 00:00:00 \+0000 UTC"$/,
  ],
  ["2024-01-01T10:00:00Z", /write "2024-01-01T10:00:00Z"/],
  ["2024-1-1 10:00:00", /write "2024-1-1 10:00:00"/],
  ["1_000", /: 1_000 is no text without quotes; write "1_000"; servers .* keep "1000"$/],
  ["0042", /write "0042"; servers .* keep "34"$/],
  ["0x1F", /write "0x1F"; .* keep "31"$/],
  ["0b11", /write "0b11"; .* keep "3"$/],
  ["0o17", /write "0o17"; .* keep "15"$/],
  ["1e3", /write "1e3"; .* keep "1000"$/],
  ["1.10", /write "1.10"; .* keep "1.1"$/],
  ["1.0", /write "1.0"; .* keep "1"$/],
  [".5", /write ".5"/],
  ["+5", /write "\+5"/],
  ["12345678901234567890", /write "12345678901234567890"/],
  ["9007199254740993", /write "9007199254740993"/],
  ["True", /write "True"; .* keep "true"$/],
  ["~", /: is empty, which is no text; write "" or, as text, "~"$/],
  ["null", /write "" or, as text, "null"$/],
  ["", /: is empty, which is no text; write ""/],
  [".inf", /write ".inf"/],
  ["1e400", /write "1e400"$/],
  ['!!int "5"', /: has the tag !!int/],
  ["!!binary aGVsbG8=", /: has the tag !!binary/],
  ["! 12", /: has the tag !/],
];

/** What both read to the very text that is written. */
const keptInputs = [
  "42",
  "-7",
  "0",
  "1.5",
  "true",
  "false",
  "yes",
  "on",
  "12:30",
  "1.2.3",
  "10.0.0.1",
  "2024-13-45",
  "2024-01",
  '"0042"',
  "'1_000'",
  "!!str 2024-01-01",
  "|\n          0042",
  "v1_000",
  "0x",
  "08:00",
  "*text",
];

function inputs(written: string): string {
  return `config:\n  other:anchor: &text "x"\n  handover:generations:\n    blue:\n      inputs:\n        A: ${written}\n`;
}

describe("the stack's file as it is read", () => {
  for (const [written, problem] of refusedInputs) {
    it(`refuses ${written || "nothing"} as an input, with its path and the quoted form`, () => {
      const { problems } = readStackYaml(inputs(written));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", /^handover:generations\.blue\.inputs\.A: /);
      assert.match(problems[0] ?? "", problem);
    });
  }

  it("takes an input that both read to the text that is written", () => {
    for (const written of keptInputs) assert.deepEqual(readStackYaml(inputs(written)).problems, [], written);
  });

  const cases: [what: string, text: string, problems: RegExp[]][] = [
    [
      "a port with an underscore",
      "handover:site: { port: 1_0 }",
      [
        /^handover:site\.port: 1_0 is read as 10 by the engine and as the text "1_0" by Handover; write 10 if it is that number, or "1_0" if it is text$/,
      ],
    ],
    ["an octal port", "handover:site: { port: 0120 }", [/^handover:site\.port: 0120 is read as 80 .* and as 120 /]],
    ["a number that both read alike", "handover:site: { port: 0x50, deregistrationDelaySeconds: 1e3 }", []],
    [
      "a number that is none in a number's place",
      "handover:upgrade: { logs: [{ atMost: .nan }] }",
      [/^handover:upgrade\.logs\[0\]\.atMost: .nan is read as NaN/],
    ],
    [
      "a date in a command",
      "handover:upgrade: { migrate: { command: [./migrate, 2024-01-01] } }",
      [/^handover:upgrade\.migrate\.command\[1\]: 2024-01-01 is read as the text "2024-01-01 00:00:00 \+0000 UTC"/],
    ],
    [
      "a header that is a number",
      "handover:upgrade: { smoke: [{ path: /, headers: { x-version: 1.10 } }] }",
      [/headers\.x-version: 1\.10 is no text without quotes; write "1\.10"/],
    ],
    ["a goal that is a number", "handover:live: 0042", [/^handover:live: 0042 is read as 34 by the engine/]],
    [
      "a name that is no text",
      "handover:generations: { blue: { inputs: { null: x } } }",
      [/inputs: the name null is no text without quotes; write "null"/],
    ],
    [
      "an input that is another's",
      "handover:site: { port: &p 1_0 }\n  handover:generations: { blue: { inputs: { A: *p } } }",
      [/^handover:site\.port: /, /inputs\.A: 1_0 is no text/],
    ],
    [
      "inputs that are merged in",
      "other:base: &base { A: 0042 }\n  handover:generations: { blue: { inputs: { <<: *base } } }",
      [/inputs\.A: 0042 is no text/],
    ],
    [
      "a character that ends a line for the engine",
      'handover:live: "a\u2028b"',
      [/^line 2: has the character \\u2028/],
    ],
    ["somebody else's keys", "other:when: 2024-01-01", []],
    ["a key without a prefix", "live: blue", [/^config: live has no prefix, .* as handover:live; write that$/]],
    ["a goal that is merged in", "<<: { handover:live: 0042 }", [/^handover:live: 0042 is read as 34 by the engine/]],
    [
      "a name that is another's",
      "other:a: &a 0042\n  handover:generations: { blue: { inputs: { *a : x } } }",
      [/inputs: the name 0042 is no text without quotes; write "0042"$/],
    ],
    [
      "a list as a name",
      "handover:generations: { blue: { inputs: { [a, b]: x } } }",
      [/inputs: the name \["a","b"\] is no text/],
    ],
    [
      "a merge in quotes",
      'other:b: &b { A: x }\n  handover:generations: { blue: { inputs: { "<<": *b } } }',
      [/inputs: the engine merges <<, in quotes too/],
    ],
    [
      "two merges",
      "other:b: &b { A: x }\n  handover:generations: { blue: { inputs: { <<: *b, <<: *b } } }",
      [/inputs: has << twice; merge a list/],
    ],
    ["a merge of what is no map", "handover:upgrade: { <<: x }", [/^is not YAML: Merge sources must be maps/]],
    ["an alias without its anchor", "handover:live: *blue", [/^is not YAML: Unresolved alias .*: blue$/]],
    ["what contains itself", "handover:upgrade: &u { logs: *u }", [/^handover:upgrade\.logs: contains itself/]],
    [
      "a text that begins with a line break",
      'handover:generations: { blue: { inputs: { A: "\\nx" } } }',
      [/inputs\.A: begins with a line break, which the engine loses/],
    ],
    [
      "a block that begins with an empty line",
      "handover:generations:\n    blue:\n      inputs:\n        A: |\n\n          x",
      [/inputs\.A: begins with a line break, which the engine loses/],
    ],
    [
      "lines that begin with a tab",
      'handover:generations: { blue: { inputs: { A: "\\tx\\ny" } } }',
      [/inputs\.A: begins with a tab, which the engine cannot read in a text of several lines/],
    ],
    [
      "an escape that is JSON's",
      'handover:upgrade: { smoke: [{ path: "\\/" }] }',
      [/smoke\[0\]\.path: has \\\/, which the engine cannot read; write \/ alone$/],
    ],
    [
      "a character in two escapes",
      'handover:live: "\\ud83d\\ude00"',
      [/^handover:live: has \\ud83d, which the engine cannot read; write the character itself$/],
    ],
    [
      "a question mark within braces",
      "handover:upgrade: { smoke: [{ path: /health?deep=1 }] }",
      [/smoke\[0\]\.path: \/health\?deep=1 has a \? that .*; write "\/health\?deep=1"$/],
    ],
    [
      "a name with a question mark within braces",
      "handover:upgrade: { a?: x }",
      [/^handover:upgrade: the name a\? has a \? that/],
    ],
    [
      "an empty value without a blank",
      "handover:upgrade: { logs:, alarms: [] }",
      [/upgrade\.logs: is empty; write null/],
    ],
    [
      "a control character",
      "handover:live: a\u007fb",
      [/^line 2: has the character \\u007f, which the engine cannot read/],
    ],
  ];
  for (const [what, text, expected] of cases) {
    it(`says of ${what} ${expected.length === 0 ? "nothing" : "where it is and what to write"}`, () => {
      const { problems } = readStackYaml(`config:\n  ${text}\n`);
      assert.equal(problems.length, expected.length, problems.join("\n"));
      expected.forEach((each, index) => {
        assert.match(problems[index] ?? "", each);
      });
    });
  }

  it("wants an end of the last line of a block, without which the engine reads another text", () => {
    const text = "config:\n  handover:live: |\n    blue";
    assert.match(readStackYaml(text).problems.join(), /^handover:live: .* end the file with a line break$/);
    assert.deepEqual(readStackYaml(`${text}\n`).problems, []);
    assert.deepEqual(readStackYaml("config:\n  handover:live: blue").problems, []);
  });

  it("wants no alias in place of the configuration, to which keys could not be added", () => {
    const { problems } = readStackYaml("other: &o { handover:live: blue }\nconfig: *o\n");
    assert.match(problems.join(), /^config: is somebody else's map/);
  });

  it("merges maps as the engine does", () => {
    const { content } = readStackYaml("config:\n  handover:o: { base: &b { A: x, B: y }, own: { <<: *b, B: z } }\n");
    assert.deepEqual((content as { config: Record<string, unknown> }).config["handover:o"], {
      base: { A: "x", B: "y" },
      own: { A: "x", B: "z" },
    });
  });

  it("knows what the engine makes of a value", async () => {
    const written = [
      ...refusedInputs.map(([text]) => text).filter((text) => !/^[!.]i|^!/.test(text)),
      ...[
        "yes",
        "NO",
        "Null",
        "TRUE",
        "08",
        "089",
        "0999",
        "0_7",
        "1__0",
        "1_",
        "_1",
        "0X1f",
        "-0x1f",
        "+0b1",
        "0B1",
        "0b",
      ],
      ...[
        "0x",
        "0o9",
        "-0o7",
        "00",
        "0",
        "-0",
        "-0042",
        "+0042",
        "0x_1F",
        ".5_0",
        "-.5",
        "5.",
        "1_0.5",
        "12e03",
        "1e-7",
        "1e",
      ],
      ...[
        "18446744073709551615",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e21",
        "0.1",
        "00.5",
        "1.2.3",
        "1:30",
      ],
      ...[
        "2024-01-01 10:00:00",
        "2024-01-01  10:00:00",
        "2024-01-01 10:00:00Z",
        "2024-01-01T10:00:00",
        "2024-1-1",
        "2024-02-30",
      ],
      ...["2001-12-14t21:59:43.10-05:00", "2024-01-01T10:00:00+00:00", "2024-01-01T24:00:00Z", "2024-01-01T10:00:60Z"],
      ...[
        "2024-01-01T10:00:00.000Z",
        "2024-01-01T10:00:00.123456789Z",
        "2024-01-01T10:00:00 Z",
        "0001-01-01",
        "2024-01",
        "=",
        "on",
      ],
    ];
    const read = (
      await readByPulumi(`config:\n  handover:values:\n${written.map((each) => `    - ${each}\n`).join("")}`)
    )["handover:values"] as unknown[];
    const text = (values: readonly unknown[]) =>
      values.map((value, index) => `${written[index]}: ${JSON.stringify(value)}`);
    assert.deepEqual(text(written.map(readByEngine)), text(read));
  });

  it("reads a text as the engine does, however it is written, before and after the driver has added its keys", async () => {
    const file = `config:\r
  handover:upgrade: { backup: , logs: ~, shiftPercent: [10, 50,] }
  handover:generations:
    base: &base { imageId: ami-1, keyName: a }
    blue: { <<: *base, keyName: b }
    green:
      inputs:
${texts.map((written, index) => `        I${index}: ${written}\n`).join("")}`;
    const { content, problems } = readStackYaml(file);
    assert.deepEqual(problems, []);
    const { config } = content as { config: Record<string, unknown> };
    const engine = await readByPulumi(file);
    assert.deepEqual(config, engine);
    assert.deepEqual(await readByPulumi(mergeKeys(file, { phase: "x" })), { ...engine, "handover:phase": "x" });
  });
});

/** Texts that both read alike. */
const texts = [
  '"\\x41\\u00e9\\U0001F600\\t\\0\\a\\e\\_\\N\\L\\P\\x7f"',
  '"a\\r\\nb"',
  '" \\n"',
  '"a\\n\\n\\n"',
  '"# a\\n--- b\\n..."',
  '"a   \n          b \\\n          c"',
  "'it''s\n\n          so'",
  "plain\n          on two lines",
  `>-\n          ${"folded ".repeat(40)}\n\n          x\n            y`,
  `|\n          ${"literal ".repeat(40)}\n          x`,
  "|+\n          kept\n\n",
  "|-\n          -----BEGIN KEY-----\n          x=\n          -----END KEY-----",
  "word: ".trim().concat("#x ".repeat(40)),
  "h\u00e9llo \u65e5\u672c \ud83d\ude00 \u00a0x",
  "hel\ufefflo",
  "a\t# a comment",
  "C:\\x",
  "a ? b: c".replace(": ", ":"),
  "-x",
  "=",
  "'<<'",
  "'~'",
];

/** The keys of a stack's file as the engine has them. */
async function readByPulumi(file: string): Promise<Record<string, unknown>> {
  const directory = mkdtempSync(join(tmpdir(), "handover-test-"));
  try {
    writeFileSync(join(directory, "Pulumi.yaml"), "name: handover\nruntime: nodejs\n");
    writeFileSync(join(directory, "Pulumi.text.yaml"), file);
    const env = {
      PULUMI_BACKEND_URL: `file://${directory}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const pulumi = (...args: string[]) => execa("pulumi", args, { cwd: directory, env });
    await pulumi("stack", "init", "text");
    const { stdout } = await pulumi("config", "--json", "--stack", "text");
    const all = JSON.parse(stdout) as Record<string, { readonly value: string; readonly objectValue?: unknown }>;
    return Object.fromEntries(Object.entries(all).map(([key, { value, objectValue }]) => [key, objectValue ?? value]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
