import assert from "node:assert/strict";
import type { LedgerRecord } from "../../../automation/ledger/events.ts";
import type { RunSummary } from "../../../automation/ledger/runs.ts";
import { generationDifferences } from "../../../automation/plan/differences.ts";
import { expectedFor, expectedOf } from "../../../automation/plan/expected.ts";
import { countsOf, expectation, headline, linesOf } from "../../../automation/plan/lines.ts";
import { planMarkdown } from "../../../automation/plan/markdown.ts";
import type { Prediction } from "../../../automation/plan/predict.ts";
import type { Review } from "../../../automation/plan/review.ts";
import { planTable } from "../../../automation/plan/table.ts";
import { warningsOf } from "../../../automation/run/warnings.ts";
import { configOf } from "../config.ts";

const server = "aws:ec2/instance:Instance";
const association = "aws:ec2/eipAssociation:EipAssociation";
const operation = (op: string, type: string, name: string, properties: string[] = []) => ({
  op,
  type,
  name,
  properties,
});

const prediction: Prediction = {
  from: "blue",
  to: "green",
  warnings: ["fewer servers"],
  phases: [
    {
      name: "launch-first",
      operations: [operation("create", server, "green-1")],
      effects: ["traffic: blue 100 -> blue 90, green 10"],
      gates: ["instance status", "targets healthy: green"],
    },
    { name: "retire", operations: [operation("delete", server, "blue-1")], effects: [], gates: [] },
  ],
};
const review: Review = {
  stack: "shop",
  refused: false,
  prediction,
  changes: [{ name: "inputs.GREETING", before: null, after: "<b>|" }],
  expected: { seconds: 55, runs: 3, phases: { "launch-first": 40.2, retire: 180 } },
};

describe("a plan for a person", () => {
  it("shows the same on many resources in one line, and a replacement as one", () => {
    const many = Array.from({ length: 99 }, (_, index) => operation("create", server, `green-${index + 2}`));
    assert.deepEqual(linesOf(many), [
      { op: "create", type: "ec2.Instance", names: "green-2 … green-100 (99)", properties: "" },
    ]);
    const replaced = ["create-replacement", "replace", "delete-replaced"].map((op) =>
      operation(op, association, "address-1", op === "delete-replaced" ? [] : ["instanceId"]),
    );
    assert.deepEqual(linesOf(replaced), [
      { op: "replace", type: "ec2.EipAssociation", names: "address-1", properties: "instanceId" },
    ]);
    assert.equal(countsOf([...many, ...replaced]), "99 create, 1 replace");
  });

  it("keeps the steps of a phase apart", () => {
    const listener = operation("update", "aws:lb/listener:Listener", "site", ["defaultActions"]);
    assert.equal(linesOf([listener, listener]).length, 2);
  });

  it("says that a snapshot which leaves the stack is kept", () => {
    const [line] = linesOf([operation("delete", "aws:ebs/snapshot:Snapshot", "database-backup")]);
    assert.equal(line?.properties, "AWS keeps it");
  });

  it("says in one sentence what comes to pass", () => {
    assert.equal(headline("shop", prediction), "shop: blue -> green in 2 phases: 1 create, 1 delete");
    const settle = (operations: ReturnType<typeof operation>[], from = "green"): Prediction => {
      return { from, to: "green", warnings: [], phases: [{ name: "settle", operations, effects: [], gates: [] }] };
    };
    assert.match(headline("shop", settle([])), /green is live and the goal; an update would change nothing/);
    assert.match(headline("shop", settle([operation("create", server, "green-1")])), /an update would do: 1 create/);
    assert.match(headline("shop", settle([], "blue")), /back from green to blue: no changes/);
  });

  it("is a table in the terminal", () => {
    assert.deepEqual(planTable(review), [
      "shop: blue -> green in 2 phases: 1 create, 1 delete",
      "  green inputs.GREETING: not given -> <b>|",
      "expected to take 55 s, the median of the last 3 runs",
      "warning: fewer servers",
      "",
      "launch-first  launches the first new server, out of the pool, and tests it (about 40 s)",
      "              create ec2.Instance green-1",
      "              traffic: blue 100 -> blue 90, green 10",
      "              then: instance status, targets healthy: green",
      "retire        terminates the old servers (about 3 min)",
      "              delete ec2.Instance blue-1",
    ]);
  });

  it("is Markdown with one section for each phase, in which values stay text", () => {
    const lines = planMarkdown(review);
    assert.match(lines[0] ?? "", /^\*\*shop: blue -&#62; green in 2 phases: .*\*\*, expected to take 55 s/);
    assert.equal(lines.filter((line) => line.startsWith("<details>")).length, 2);
    assert.equal(lines.filter((line) => line === "</details>").length, 2);
    assert.ok(
      lines.some((line) => line.includes("terminates the old servers (about 3 min): 1 delete")),
      lines.join("\n"),
    );
    assert.ok(lines.includes("| inputs.GREETING |  | &#60;b&#62;\\| |"), lines.join("\n"));
    assert.ok(lines.includes("- traffic: blue 100 -&#62; blue 90, green 10"), lines.join("\n"));
    assert.ok(lines.includes("| create | ec2.Instance | green-1 |  |"));
    assert.ok(lines.includes("> fewer servers"));
  });
});

describe("what is told beside a plan", () => {
  it("is what the new generation changes, with secrets masked", () => {
    const { config } = configOf({
      green: {
        instanceType: "t3.medium",
        inputs: { APP_REVISION: "42", TOKEN: "hunter2", URL: "https://u:hunter2@db" },
      },
    });
    const { blue, green } = config.generations;
    assert.deepEqual(generationDifferences(blue, green, new Set(["hunter2"])), [
      { name: "inputs.APP_REVISION", before: "41", after: "42" },
      { name: "inputs.TOKEN", before: null, after: "[secret]" },
      { name: "inputs.URL", before: null, after: "https://u:[secret]@db" },
      { name: "instanceType", before: "t3.small", after: "t3.medium" },
    ]);
    assert.deepEqual(generationDifferences(blue, blue, new Set()), []);
  });

  it("shows a secret nowhere that is encoded in an input, neither in the terminal nor in Markdown", () => {
    const secret = "p@ss/w?rd";
    const encoded = [
      encodeURIComponent(secret),
      encodeURIComponent(secret).toLowerCase(),
      Buffer.from(`u:${secret}`).toString("base64"),
    ];
    const inputs = Object.fromEntries(encoded.map((each, index) => [`URL_${index}`, `postgres://u:${each}@db`]));
    const { config } = configOf({ green: { inputs } });
    const changes = generationDifferences(config.generations.blue, config.generations.green, new Set([secret]));
    assert.equal(changes.filter(({ name }) => name.startsWith("inputs.URL")).length, encoded.length);
    for (const lines of [planTable({ ...review, changes }), planMarkdown({ ...review, changes })]) {
      const text = lines.join("\n").replaceAll("\\", "");
      assert.equal(text.match(/\[secret\]/g)?.length, encoded.length, text);
      for (const each of [secret, ...encoded]) assert.ok(!text.includes(each), text);
    }
  });

  it("is what changes in a nested value, in the terminal and in Markdown", () => {
    const { config } = configOf({ green: { instanceType: "t3.small", rootBlockDevice: { volumeSize: 20 } } });
    const changes = generationDifferences(config.generations.blue, config.generations.green, new Set());
    assert.ok(planTable({ ...review, changes }).includes("  green rootBlockDevice.volumeSize: not given -> 20"));
    assert.ok(planMarkdown({ ...review, changes }).includes("| rootBlockDevice.volumeSize |  | 20 |"));
  });

  it("is how long the last runs took that reached their goal", () => {
    const run = (outcome: "reached" | "rolled-back", seconds: number) =>
      ({
        outcome,
        started: "2026-01-01T00:00:00Z",
        finished: new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString(),
      }) as RunSummary;
    assert.deepEqual(expectedOf([run("reached", 60), run("rolled-back", 9), run("reached", 50), run("reached", 90)]), {
      seconds: 60,
      runs: 3,
      phases: {},
    });
    assert.equal(expectedOf([run("rolled-back", 9)]), undefined);
    const records = (seconds: number) =>
      (["phase-started", "phase-finished"] as const).map((type, index) => ({
        time: new Date(Date.UTC(2026, 0, 1, 0, 0, index * seconds)).toISOString(),
        event: { type, phase: "drain" },
      })) as unknown as LedgerRecord[];
    const expected = expectedOf([run("reached", 60)], [records(30), records(20), records(70)]);
    assert.deepEqual(expected?.phases, { drain: 30 });
  });

  it("is what the configuration and AWS have phases wait where no run has had them all", () => {
    const { config } = configOf({ upgrade: { stableSeconds: 100 } });
    const rows = ["launch-first", "launch-rest", "migrate"] as const;
    const first = expectedFor(rows, config, undefined, true);
    assert.deepEqual([first.runs, Object.keys(first.phases)], [0, ["launch-first", "launch-rest"]]);
    // A server of AWS is up after 10 s, and its first status checks come a minute later.
    assert.deepEqual([first.phases["launch-first"], first.phases["launch-rest"], first.seconds], [75, 170, 245]);
    assert.match(expectation(first), /at least 4 min/);
    const last = { seconds: 500, runs: 2, phases: { "launch-first": 90, "launch-rest": 120 } };
    assert.deepEqual(expectedFor(rows, config, last, true), {
      seconds: 210,
      runs: 0,
      phases: { "launch-first": 90, "launch-rest": 120 },
    });
    const known = { ...last, phases: { ...last.phases, migrate: 1 } };
    assert.deepEqual(
      [true, false].map((isWhole) => expectedFor(rows, config, known, isWhole).seconds),
      [500, 211],
    );
  });

  it("is that fewer servers will serve than before", () => {
    const { config } = configOf({ frontends: 3, green: { frontends: 2 } });
    assert.match(
      warningsOf(config, { from: "blue", to: "green" })[0] ?? "",
      /green declares 2 frontends, and blue has 3/,
    );
    assert.deepEqual(warningsOf(config, { from: "green", to: "blue" }), []);
  });

  it("is that answers of both generations say the same, where they are to tell them apart", () => {
    const warnings = (equals: string, APP_REVISION: string) => {
      const { config } = configOf({
        green: { inputs: { APP_REVISION } },
        upgrade: { identify: { header: "x-revision", equals } },
      });
      return warningsOf(config, { from: "blue", to: "green" }).join();
    };
    assert.match(warnings("$inputs.APP_REVISION", "41"), /^answers of blue and green say the same/);
    assert.equal(warnings("$inputs.APP_REVISION", "42"), "");
    assert.equal(warnings("$inputs.APP_REVISION $generation", "41"), "");
  });

  it("is what nothing compares, where the driver may not ask", () => {
    const warnings = (elasticIps: number, enabled: boolean) => {
      const upgrade = { probe: { enabled: false }, comparison: { enabled } };
      return warningsOf(configOf({ elasticIps, upgrade }).config, { from: "blue", to: "green" }).join();
    };
    assert.match(warnings(2, true), /^nothing compares green with blue for users who come by the Elastic IPs: enable/);
    assert.equal(warnings(0, true), "");
    assert.match(warnings(0, false), /^nothing compares green with blue: enable/);
  });
});
